// The diagram of a cell, with the numbers of one unit at one step.
import { colour, css, number, spoken, symbol } from './format.js';

const width = (value) => 1.6 + 6 * Math.tanh(Math.abs(value ?? 0));

const stroke = (value) =>
  Math.abs(value ?? 0) < 0.005
    ? 'var(--wire)'
    : css(colour(Math.sign(value), 0.35 + 0.65 * Math.tanh(Math.abs(value))));

const path = (points) => `M${points.map((it) => it.join(' ')).join('L')}`;

// A line with a head, as thick as its value.
function Arrow({ points, value, over = false }) {
  const [[fromX, fromY], [x, y]] = points.slice(-2);
  const [alongX, alongY] = [Math.sign(x - fromX), Math.sign(y - fromY)];
  const head = 5 + width(value);
  const base = [x - alongX * head, y - alongY * head];
  const [asideX, asideY] = [alongY * head * 0.55, alongX * head * 0.55];
  const line = path([...points.slice(0, -1), base]);
  const tip = path([[x, y], [base[0] + asideX, base[1] + asideY], [base[0] - asideX, base[1] - asideY]]);
  return (
    <g style={{ color: stroke(value) }}>
      {over && <path class="gap" d={line} style={{ strokeWidth: width(value) + 8 }} />}
      <path class="wire" d={line} style={{ strokeWidth: width(value) }} />
      <path class="head" d={`${tip}z`} />
    </g>
  );
}

function Gate({ name, gate, at: [x, y], size: [boxWidth, height], values, isHeld }) {
  const middle = x + boxWidth / 2;
  const bar = gate.factor !== undefined;
  const open = bar && Math.max(0, Math.min(1, values[gate.factor] ?? 0));
  const top = y + (height - (gate.numbers.length ? 70 : 38) - (bar ? 0 : -14)) / 2;
  return (
    <g class={`gate ${gate.colour}`} data-gate={name}>
      <rect class="box" x={x} y={y} width={boxWidth} height={height} rx="10" />
      <text class="title" x={middle} y={top + 12}>{gate.title}</text>
      <text class={isHeld ? 'equation held' : 'equation'} x={middle} y={top + 30}>{gate.equation}{isHeld && ', held'}</text>
      {gate.numbers.length > 0 && (
        <text class="number" x={middle} y={top + 50}>
          {gate.numbers.map(([sign, quantity]) => `${sign} ${number(values[quantity])}`.trim()).join('   ')}
        </text>
      )}
      {bar && <>
        <rect class="trough" x={x + 12} y={y + height - 20} width={boxWidth - 24} height="9" rx="4.5" />
        <rect class="open" x={x + 12} y={y + height - 20} width={(boxWidth - 24) * open} height="9" rx="4.5" />
      </>}
    </g>
  );
}

function Label({ label: { text, value, at: [x, y], valueAt, anchor }, values, character }) {
  const shown = value === 'event' ? symbol(character) : number(values[value]);
  return <>
    <text class="word" x={x} y={y} text-anchor={anchor}>
      {text.map((line, place) => <tspan x={x} dy={place ? 16 : 0}>{line}</tspan>)}
      {!valueAt && <tspan class="value"> {shown}</tspan>}
    </text>
    {valueAt && (
      <text class={value === 'event' ? 'value event' : 'value'} x={valueAt[0]} y={valueAt[1]} text-anchor={anchor}>{shown}</text>
    )}
  </>;
}

// Arguments:
//   cell: one of `CELLS`.
//   values: of one unit, by quantity, and `before_<memory>`.
//   held: quantities that are held for this unit.
export function Diagram({ cell, values, character, held, isTall }) {
  const { size, box, boxes, join, wires, lines, labels } = isTall ? cell.tall : cell.wide;
  const opened = Object.values(cell.gates)
    .filter((it) => it.factor)
    .map((it) => `${it.title} open by ${number(values[it.factor])}`);
  return (
    <svg class="diagram" viewBox={`-4 -4 ${size[0] + 8} ${size[1] + 8}`} role="img"
      aria-label={`One step of the cell, reading ${spoken(character)}. ${opened.join(', ')}`}>
      {wires.map((points) => <Arrow points={points} />)}
      {lines.map(({ value, ...line }) => <Arrow {...line} value={values[value]} />)}
      <rect class="join" x={join.at[0] - 33} y={join.at[1] - 12} width="66" height="24" rx="12" />
      <text class="word" x={join.at[0]} y={join.at[1] + 4.5} text-anchor="middle">{join.text}</text>
      {Object.entries(boxes).map(([name, at]) => (
        <Gate name={name} gate={cell.gates[name]} at={at} size={box} values={values}
          isHeld={held.has(cell.gates[name].factor)} />
      ))}
      {labels.map((label) => <Label label={label} values={values} character={character} />)}
    </svg>
  );
}
