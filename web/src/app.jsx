// The page: a text, a cell, two continuations, and all units.
import { useEffect, useState } from 'preact/hooks';
import { CELLS } from './cells/index.js';
import { Diagram } from './diagram.jsx';
import { number, spoken, symbol, words } from './format.js';
import { Guide } from './guide.jsx';
import { HeatMap } from './heat_map.jsx';
import { HoldControls } from './hold_controls.jsx';
import { heldFor, withHold } from './holds.js';
import { Predictions } from './predictions.jsx';
import { useReadings } from './readings.jsx';
import { Samples } from './samples.jsx';
import { Text } from './text.jsx';

const STEPS = { wide: 60, narrow: 30 };

// As in page.css.
const NARROW = matchMedia('(max-width: 40rem)');

function useNarrow() {
  const [isNarrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const follow = () => setNarrow(NARROW.matches);
    NARROW.addEventListener('change', follow);
    return () => NARROW.removeEventListener('change', follow);
  }, []);
  return isNarrow;
}

// Values of a unit at a step, by quantity, and `before_<memory>`.
function valuesOf(layer, unit, steps, place) {
  const values = {};
  for (const { name, kind } of layer.quantities) {
    const key = `${layer.name}_${name}`;
    values[name] = steps[place].values[key][unit];
    if (kind === 'memory') values[`before_${name}`] = steps[place - 1]?.values[key][unit] ?? 0;
  }
  return values;
}

function Legend({ quantity: { kind, scale, symbol: sign } }) {
  const [low, high] = kind === 'factor' ? ['0, shut', '1, open'] : [`−${number(scale)}`, number(scale)];
  return <div class="legend"><span>{sign}</span> <span>{low}</span><i /><span>{high}</span></div>;
}

// The step at which a quantity of a unit is farthest from zero.
function strongest(steps, key, unit) {
  const sizes = steps.map(({ values }) => Math.abs(values[key][unit]));
  return sizes.indexOf(Math.max(...sizes));
}

export function App({ model }) {
  const { layers, characters, start } = model.description;
  const [layer, setLayer] = useState(layers.at(0));
  const [unit, setUnit] = useState(layer.notable[0]?.unit ?? 0);
  const [shown, setShown] = useState(layer.memory);
  const [picked, setPicked] = useState(null);
  const [holds, setHolds] = useState([]);
  const [one, setOne] = useState(false);
  const [temperature, setTemperature] = useState(0.7);
  const [seed, setSeed] = useState(1);
  const isNarrow = useNarrow();
  const { view, free, held, read, isWriting, setWriting } = useReadings(model, holds, temperature, seed);
  const cell = CELLS[layer.kind];
  if (!view) return null;

  const { text, steps } = view;
  const last = steps.length - 1;
  const place = Math.max(0, Math.min(picked ?? last, last));
  const first = Math.max(0, Math.min(last + 1 - (isNarrow ? STEPS.narrow : STEPS.wide), place));
  const quantity = layer.quantities.find((it) => it.name === shown);
  const key = `${layer.name}_${shown}`;
  const { character, probabilities } = steps[place];
  const values = valuesOf(layer, unit, steps, place);

  const type = (given) => {
    setPicked(null);
    return read(given);
  };
  const pickUnit = (given) => setUnit(Math.max(0, Math.min(layer.units - 1, given || 0)));
  const pickLayer = (it) => {
    setLayer(it);
    setUnit(it.notable[0]?.unit ?? 0);
    setShown(it.memory);
  };
  const act = ({ hold, find, show }) => {
    if (hold) setHolds(withHold(holds, { layer: layer.name, unit: null, ...hold }));
    if (find) setPicked(strongest(steps, `${layer.name}_${find}`, unit));
    setShown(show);
  };

  return <>
    <Guide key={layer.kind} cell={cell} onAction={act} onLeave={() => setHolds([])} />
    <section class="read">
      <h2>Type, and it reads</h2>
      <Text text={text} steps={steps} name={key} quantity={quantity} unit={unit} place={place}
        onText={type} onPlace={setPicked} />
      <div class="row">
        <button type="button" class="main" onClick={() => setWriting(!isWriting)}>{isWriting ? 'Stop' : 'Write on'}</button>
        <button type="button" onClick={() => type(start)}>Start over</button>
        <label class="temperature">temperature
          {' '}<input type="range" min="0.1" max="1.5" step="0.05" value={temperature}
            onInput={(event) => setTemperature(Number(event.target.value))} />
          {' '}<output>{number(temperature)}</output>
        </label>
      </div>
      <h3>What it expects after <kbd>{symbol(character)}</kbd></h3>
      <Predictions probabilities={probabilities} characters={characters} onType={(it) => type(text + it)} />
    </section>
    <section class="cell">
      <h2>Unit {unit}{layers.length > 1 && ` of ${layer.name}`}, reading <kbd>{symbol(character)}</kbd></h2>
      {layers.length > 1 && (
        <div class="chips" role="group" aria-label="Layers">
          {layers.map((it) => (
            <button type="button" aria-pressed={it === layer} onClick={() => pickLayer(it)}>{it.name}</button>
          ))}
        </div>
      )}
      <div class="chips" role="group" aria-label="Units that go with a property of the text">
        {layer.notable.map((it) => (
          <button type="button" aria-pressed={it.unit === unit} onClick={() => setUnit(it.unit)}
            title={`correlation ${number(it.correlation)}`}>{it.unit} <span>{it.property}</span></button>
        ))}
        <label>unit <input type="number" min="0" max={layer.units - 1} value={unit}
          onInput={(event) => pickUnit(Number(event.target.value))} /></label>
      </div>
      <Diagram cell={cell} values={values} character={character} held={heldFor(holds, layer.name, unit)} isTall={isNarrow} />
      <p class="soft">Blue lines carry values above zero, orange ones below; the thicker, the larger.</p>
      <h3>Hold {layer.kind === 'rnn' ? 'the memory' : 'a gate'}, and see what it was good for</h3>
      <HoldControls cell={cell} layer={layer} layers={layers} unit={unit} one={one} holds={holds}
        onOne={setOne} onHolds={setHolds} />
    </section>
    <Samples free={free} held={held} holds={holds} layers={layers} onSeed={() => setSeed(seed + 1)} />
    <section class="units">
      <h2>All {layer.units} units{layers.length > 1 && ` of ${layer.name}`}, last {steps.length - first} characters</h2>
      <div class="chips" role="group" aria-label="Quantity">
        {layer.quantities.map((it) => (
          <button type="button" aria-pressed={it === quantity} onClick={() => setShown(it.name)}>{words(it.name)}</button>
        ))}
      </div>
      <HeatMap steps={steps} first={first} name={key} quantity={quantity} units={layer.units} unit={unit}
        place={place} onPick={(row, column) => { setUnit(row); setPicked(column); }} />
      <Legend quantity={quantity} />
    </section>
    <p class="spoken" role="status">
      Unit {unit}, after {spoken(character)}: {words(shown)} {number(values[shown])}
    </p>
  </>;
}
