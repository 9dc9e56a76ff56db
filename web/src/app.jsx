// The page: a text, a cell, two continuations, and all units.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { CELLS } from './cells/index.js';
import { Diagram } from './diagram.jsx';
import { dark, number, spoken, symbol, words } from './format.js';
import { Guide } from './guide.jsx';
import { HeatMap } from './heat_map.jsx';
import { HoldControls } from './hold_controls.jsx';
import { heldFor, without, withHold } from './holds.js';
import { Predictions } from './predictions.jsx';
import { useReadings } from './readings.jsx';
import { Samples } from './samples.jsx';
import { Text } from './text.jsx';

const STEPS = { wide: 60, narrow: 30 };

// As in page.css.
const NARROW = matchMedia('(max-width: 40rem)');

// Milliseconds without a change, before it is spoken.
const SPOKEN_AFTER = 700;

function useMatch(query) {
  const [matches, setMatches] = useState(query.matches);
  useEffect(() => {
    const follow = () => setMatches(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  return matches;
}

// What a screen reader says when all is quiet.
function Spoken({ words }) {
  const [spoken, setSpoken] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSpoken(words), SPOKEN_AFTER);
    return () => clearTimeout(timer);
  }, [words]);
  return <p class="spoken" role="status">{spoken}</p>;
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
  const ofGuide = useRef(null); // The hold that the guide has set.
  const isNarrow = useMatch(NARROW);
  useMatch(dark); // Colours are computed when the page is drawn.
  const { view, free, held, read, isWriting, setWriting, error } =
    useReadings(model, holds, temperature, seed, () => setPicked(null));
  useLayoutEffect(() => {
    if (view) document.body.dataset.ready = 'true';
  }, [view]);
  const cell = CELLS[layer.kind];
  if (error) return <p role="alert">The model stopped: {error.message}. Reload the page.</p>;
  if (!view) return null;

  const { text, steps } = view;
  const last = steps.length - 1;
  const place = Math.max(0, Math.min(picked ?? last, last));
  const first = Math.max(0, Math.min(last + 1 - (isNarrow ? STEPS.narrow : STEPS.wide), place));
  const quantity = layer.quantities.find((it) => it.name === shown);
  const key = `${layer.name}_${shown}`;
  const { character, probabilities } = steps[place];
  const values = valuesOf(layer, unit, steps, place);

  const readNew = (given, isTyped = false) => {
    setPicked(null);
    read(given, isTyped);
  };
  // After the step that the predictions are of.
  const insert = (given) => {
    const characters = [...text];
    readNew([...characters.slice(0, place + 1), given, ...characters.slice(place + 1)].join(''));
    if (place < last) setPicked(place + 1);
  };
  const toggleWriting = () => {
    setPicked(null);
    setWriting(!isWriting);
  };
  const pickUnit = (given) => setUnit(Math.max(0, Math.min(layer.units - 1, Math.trunc(given) || 0)));
  const pickLayer = (it) => {
    setLayer(it);
    setUnit(it.notable[0]?.unit ?? 0);
    setShown(it.memory);
  };
  const act = ({ hold, find, show }) => {
    if (hold) {
      ofGuide.current = { layer: layer.name, unit: null, ...hold };
      setHolds(withHold(holds, ofGuide.current));
    }
    if (find) setPicked(strongest(steps, `${layer.name}_${find}`, unit));
    setShown(show);
  };
  const leaveGuide = () => {
    if (ofGuide.current) setHolds((all) => without(all, ofGuide.current));
  };

  return <>
    <Guide key={layer.name} cell={cell} layer={layer} onAction={act} onLeave={leaveGuide} />
    <section class="read">
      <h2>Type, and it reads</h2>
      <Text view={view} name={key} quantity={quantity} unit={unit} place={place}
        onText={(it) => readNew(it, true)} onPlace={setPicked} />
      <div class="row">
        <button type="button" class="main" onClick={toggleWriting}>{isWriting ? 'Stop' : 'Write on'}</button>
        <button type="button" onClick={() => readNew(start)}>Start over</button>
        <label class="temperature">temperature
          {' '}<input type="range" min="0.1" max="1.5" step="0.05" value={temperature}
            onInput={(event) => setTemperature(Number(event.target.value))} />
          {' '}<output>{number(temperature)}</output>
        </label>
      </div>
      <h3>What it expects after <kbd>{symbol(character)}</kbd></h3>
      <Predictions probabilities={probabilities} characters={characters} onType={insert} />
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
    <Spoken words={isWriting ? '' : `Unit ${unit}, after ${spoken(character)}: ${words(shown)} ${number(values[shown])}`} />
  </>;
}
