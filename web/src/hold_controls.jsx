// Sliders that hold a gate.
import { useRef } from 'preact/hooks';
import { number, words } from './format.js';
import { describe, find, withHold, without } from './holds.js';

// What can be held of a layer: its factors or, if it has none, its memory.
function choices(layer) {
  const all = layer.quantities.filter((it) => layer.holdable.includes(it.name));
  const factors = all.filter((it) => it.kind === 'factor');
  return factors.length ? factors : all;
}

function Slider({ layer, quantity, unit, gate, holds, onHolds }) {
  const key = { layer: layer.name, quantity: quantity.name, unit };
  const hold = find(holds, key);
  const lowest = quantity.kind === 'factor' ? 0 : -1;
  const set = (value) => onHolds(withHold(holds, { ...key, value }));
  return (
    <div class={`hold ${gate.colour}`} data-quantity={quantity.name}>
      <label>
        <input type="checkbox" checked={hold !== undefined}
          onChange={(event) => (event.target.checked ? set(0) : onHolds(without(holds, key)))} />
        {' '}{words(quantity.name)} <i>{quantity.symbol}</i>
      </label>
      <input type="range" min={lowest} max="1" step="0.01" value={hold?.value ?? (lowest + 1) / 2}
        class={hold ? '' : 'free'} aria-label={`Hold the ${words(quantity.name)} at`}
        onInput={(event) => set(Number(event.target.value))} />
      <output>{hold ? number(hold.value) : 'free'}</output>
    </div>
  );
}

export function HoldControls({ cell, layer, layers, unit, one, holds, onOne, onHolds }) {
  const box = useRef();
  // The button that was pressed goes away: the keyboard stays near.
  const letGo = (rest) => {
    onHolds(rest);
    box.current.querySelector('.hold input').focus();
  };
  return (
    <div class="holds" ref={box}>
      <div class="chips" role="group" aria-label="Units to hold">
        <button type="button" aria-pressed={!one} onClick={() => onOne(false)}>all units</button>
        <button type="button" aria-pressed={one} onClick={() => onOne(true)}>unit {unit} only</button>
      </div>
      {choices(layer).map((quantity) => (
        <Slider key={quantity.name} layer={layer} quantity={quantity} unit={one ? unit : null}
          gate={cell.gates[quantity.gate]} holds={holds} onHolds={onHolds} />
      ))}
      {holds.length > 0 && (
        <ul class="active" aria-label="Held now">
          {holds.map((hold) => (
            <li>
              <button type="button" onClick={() => letGo(without(holds, hold))}
                aria-label={`Let go of ${describe(hold, layers)}`}>{describe(hold, layers)} <span aria-hidden="true">×</span></button>
            </li>
          ))}
          {holds.length > 1 && <li><button type="button" onClick={() => letGo([])}>let go of all</button></li>}
        </ul>
      )}
    </div>
  );
}
