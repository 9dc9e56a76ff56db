// All units of a layer by steps, of one quantity.
import { useEffect, useRef } from 'preact/hooks';
import { colour, dark, strength, symbol, words } from './format.js';

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const within = (value, count) => Math.max(0, Math.min(count - 1, value));

export function HeatMap({ steps: all, first, name, quantity, units, unit, place, onPick }) {
  const canvas = useRef();
  const steps = all.slice(first);
  useEffect(() => {
    const context = canvas.current.getContext('2d');
    const image = context.createImageData(steps.length, units);
    steps.forEach(({ values }, x) => values[name].forEach((value, y) => {
      const [red, green, blue, alpha] = colour(strength(quantity, value), 0.9);
      image.data.set([red, green, blue, Math.round(255 * alpha)], 4 * (y * steps.length + x));
    }));
    context.putImageData(image, 0, 0);
  }, [all, first, name, dark.matches]);
  const pick = (row, column) => onPick(within(row, units), first + within(column, steps.length));
  const pickByPointer = (event) => {
    const { left, top, width, height } = canvas.current.getBoundingClientRect();
    pick(Math.floor(((event.clientY - top) / height) * units), Math.floor(((event.clientX - left) / width) * steps.length));
  };
  const pickByKey = (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    pick(unit + move[0], place - first + move[1]);
  };
  return (
    <div class="heat">
      <div class="frame" tabIndex={0} role="application" onKeyDown={pickByKey} onPointerDown={pickByPointer}
        onPointerMove={(event) => event.buttons && pickByPointer(event)}
        aria-label={`${words(quantity.name)} of ${units} units at the last ${steps.length} characters. Arrow keys pick a unit and a step`}>
        <canvas ref={canvas} width={steps.length} height={units} />
        <i class="row" style={{ top: `${(100 * unit) / units}%`, height: `${100 / units}%` }} />
        <i class="column" style={{ left: `${(100 * (place - first)) / steps.length}%`, width: `${100 / steps.length}%` }} />
      </div>
      <div class="letters" style={{ gridTemplateColumns: `repeat(${steps.length}, 1fr)` }} aria-hidden="true">
        {steps.map(({ character }, step) => <span class={first + step === place ? 'here' : ''}>{symbol(character)}</span>)}
      </div>
    </div>
  );
}
