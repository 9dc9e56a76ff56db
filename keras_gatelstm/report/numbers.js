'use strict';

// Orange below the middle, blue above it: told apart by all kinds of eyes.
const BELOW = [232, 126, 20];
const ABOVE = [47, 125, 225];

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId('data').textContent);
const state = { layer: 0, quantity: 0, unit: 0, step: 0 };
let levels;
let starts;

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (it) => it.charCodeAt(0));
  const stream = new Blob([bytes]).stream();
  const opened = stream.pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(opened).arrayBuffer());
}

// Where each quantity of each layer starts among all levels.
function places() {
  let place = 0;
  return data.layers.map((layer) => layer.quantities.map(() => {
    const start = place;
    place += layer.units * layer.time;
    return start;
  }));
}

const layerNow = () => data.layers[state.layer];
const quantityNow = () => layerNow().quantities[state.quantity];

function value(quantity, unit, step) {
  const layer = layerNow();
  const it = layer.quantities[quantity];
  const at = starts[state.layer][quantity] + unit * layer.time + step;
  return it.low + (it.high - it.low) * levels[at] / (data.levels - 1);
}

// From -1 to 1: a factor from shut to open, the others around zero.
function strength(quantity, number) {
  if (quantity.name.endsWith('_factor')) return 2 * number - 1;
  return number / quantity.most;
}

function colour(quantity, number) {
  const how = Math.max(-1, Math.min(1, strength(quantity, number)));
  const rgb = how < 0 ? BELOW : ABOVE;
  return [...rgb, Math.abs(how) * strongest()];
}

let strongestNow = null;
function strongest() {
  strongestNow ??= Number(
    getComputedStyle(document.documentElement).getPropertyValue('--strength'));
  return strongestNow;
}

const css = ([r, g, b, a]) => `rgba(${r}, ${g}, ${b}, ${a.toFixed(3)})`;
