'use strict';

const MASKED = [128, 128, 128, 90];
const MASKED_BAND = [128, 128, 128, 0.35];

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId('data').textContent);
const state = { layer: 0, quantity: 0, unit: 0, step: 0, column: 0 };
// Orange below the middle, blue above it.
const [BELOW, ABOVE] = [data.colors.below, data.colors.above].map(
  (it) => it.match(/[0-9a-f]{2}/g).map((part) => parseInt(part, 16)));
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

// What a level stands for: NaN, where the value was not finite.
function opened(quantity, level) {
  const last = data.levels - 1 - quantity.gaps;
  if (level > last) return NaN;
  return quantity.low + (quantity.high - quantity.low) * level / last;
}

function value(quantity, unit, step) {
  const layer = layerNow();
  const at = starts[state.layer][quantity] + unit * layer.time + step;
  return opened(layer.quantities[quantity], levels[at]);
}

const isMasked = (step) => layerNow().mask?.[step] === 0;

// A layer may have other steps than the text.
function tokens() {
  const { time } = layerNow();
  return data.tokens.length === time ? data.tokens : Array.from({ length: time }, (_, at) => `${at}`);
}

function shown(token) {
  const marks = { '\n': '⏎\n', '\t': '⇥\t', '\r': '␍' };
  return marks[token] ?? token;
}

const said = (number) => Number.isNaN(number) ? 'not finite' : number.toFixed(3);

// From -1 to 1: a factor from shut to open, the others around zero.
function strength(quantity, number) {
  if (quantity.kind === 'factor') return 2 * number - 1;
  return number / quantity.most;
}

function colour(quantity, number) {
  if (Number.isNaN(number)) return [...ABOVE, 0];
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
