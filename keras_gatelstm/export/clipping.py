"""Takes a limit out of LiteRT's fused LSTM that the equations do not have."""

import struct
from pathlib import Path

CELL_CLIP = 6  # The field's place in the operator's options.


def unclip(path: Path) -> None:
    """Lets long-term memories of a file's fused LSTMs grow beyond 10.

    The converter gives the operator `cell_clip = 10`, whatever it converts.
    Here the four bytes of that number become 0: not clipped.
    """
    from ai_edge_litert import schema_py_generated as schema

    content = bytearray(path.read_bytes())
    model = schema.Model.GetRootAs(content, 0)
    graphs = [model.Subgraphs(i) for i in range(model.SubgraphsLength())]
    for graph in graphs:
        for number in range(graph.OperatorsLength()):
            operator = graph.Operators(number)
            kind = schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
            if operator.BuiltinOptionsType() != kind:
                continue
            options = operator.BuiltinOptions()
            place = options.Offset(CELL_CLIP)
            if place:
                struct.pack_into("<f", content, options.Pos + place, 0.0)
    path.write_bytes(content)
