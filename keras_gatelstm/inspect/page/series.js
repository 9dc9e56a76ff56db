// The series that was read, as a line over its steps: the page shows it in the
// place of tokens, for layers that have its steps.

const SVG = 'http://www.w3.org/2000/svg';
function drawn(name, attributes, text = '') {
  const made = document.createElementNS(SVG, name);
  for (const [key, it] of Object.entries(attributes)) made.setAttribute(key, it);
  made.textContent = text;
  return made;
}

// The line is drawn on so many units of height, with a margin.
const HEIGHT = 100;
const MARGIN = 12;

const stepsOf = ({ times, size }) => Math.ceil(times.length / size);
const seriesNow = () =>
  data.series && stepsOf(data.series) === layerNow().time ? data.series : null;

// The last step ends with the last row; the first may read fewer than `size`.
function rowsOf({ times, size }, step) {
  const end = times.length - size * (stepsOf({ times, size }) - 1 - step);
  return [Math.max(0, end - size), end];
}

const isNumber = (value) => value !== null;
const inWords = (value) => isNumber(value) ? `${value}` : 'missing';

// A step's times and values in words.
function toldStep(series, step) {
  const [start, end] = rowsOf(series, step);
  const name = series.names[state.column];
  const values = series.columns[state.column].slice(start, end);
  const first = series.times[start];
  if (values.length === 1) return `${first}, ${name} is ${inWords(values[0])}`;
  const known = values.filter(isNumber);
  const between = known.length
    ? `between ${inWords(Math.min(...known))} and ${inWords(Math.max(...known))}` : 'missing';
  return `${first} to ${series.times[end - 1]}, ${name} is ${between}`;
}

function range(column) {
  const known = column.filter(isNumber);
  const low = known.reduce((one, other) => Math.min(one, other), Infinity);
  const high = known.reduce((one, other) => Math.max(one, other), -Infinity);
  return known.length ? [low, high] : [0, 0];
}

// The line through some rows; it is interrupted where values are missing, and
// a value alone is a dot.
function pathOf(series, [start, end]) {
  const column = series.columns[state.column];
  const [low, high] = range(column);
  const scale = high > low ? (HEIGHT - 2 * MARGIN) / (high - low) : 0;
  const before = stepsOf(series) * series.size - column.length;
  const parts = [];
  for (let row = start; row < end; row++) {
    if (!isNumber(column[row])) continue;
    const y = scale ? HEIGHT - MARGIN - scale * (column[row] - low) : HEIGHT / 2;
    const joined = row > start && isNumber(column[row - 1]);
    parts.push(`${joined ? 'L' : 'M'}${before + row + 0.5} ${y.toFixed(3)}${joined ? '' : 'h0.001'}`);
  }
  return parts.join('');
}

function lineOf(series) {
  const { size, times, names } = series;
  const steps = stepsOf(series);
  const svg = drawn('svg', {
    viewBox: `0 0 ${steps * size} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'presentation',
  });
  for (let step = 0; step < steps; step++) {
    const band = drawn('rect', {
      id: `step-${step}`, role: 'option', 'aria-label': toldStep(series, step),
      x: step * size, y: 0, width: size, height: HEIGHT,
    });
    band.dataset.step = step;
    band.classList.toggle('masked', isMasked(step));
    svg.append(band);
  }
  if (size > 1) {
    const borders = Array.from({ length: steps - 1 }, (_, at) => `M${(at + 1) * size} 0V${HEIGHT}`);
    svg.append(drawn('path', { class: 'borders', d: borders.join('') }));
  }
  svg.append(
    drawn('path', { id: 'series-line', d: pathOf(series, [0, times.length]) }),
    drawn('path', { id: 'series-frame', class: 'frame' }),
    drawn('path', { id: 'series-here', class: 'picked' }));
  const [low, high] = range(series.columns[state.column]);
  const name = names[state.column];
  return [svg, ...[['high', `${name}: at most ${inWords(high)}`], ['low', `at least ${inWords(low)}`]]
    .map(([place, text]) => element('span', text, { class: `end ${place}`, 'aria-hidden': 'true' }))];
}

function markSeries(series) {
  const { size } = series;
  byId('series-here').setAttribute('d', pathOf(series, rowsOf(series, state.step)));
  byId('series-frame').setAttribute(
    'd', `M${state.step * size} 0h${size}v${HEIGHT}h${-size}z`);
}

function writeSeries(series) {
  const { times, size, names } = series;
  byId('text').replaceChildren(...lineOf(series));
  const labels = [...new Set([0, Math.floor((times.length - 1) / 2), times.length - 1])];
  byId('series-times').replaceChildren(...labels.map((row) => element('span', times[row])));
  byId('text').setAttribute('aria-label', `Steps of ${names[state.column]}`);
  byId('series-hint').textContent = size > 1
    ? `Each step reads a segment of ${size} rows, a band with the colour of the quantity.`
    : 'Each step reads a row, a band with the colour of the quantity.';
}
