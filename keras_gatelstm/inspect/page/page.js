function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, it] of Object.entries(attributes)) made.setAttribute(key, it);
  return made;
}

function fillSelect(select, names, chosen) {
  select.replaceChildren(...names.map((name, at) => {
    const option = element('option', name, { value: at });
    option.selected = at === chosen;
    return option;
  }));
}

function writeRead() {
  const series = seriesNow();
  for (const id of ['series-hint', 'series-times']) byId(id).hidden = !series;
  byId('column-label').hidden = !(series?.names.length > 1);
  byId('text').classList.toggle('line', series !== null);
  document.querySelector('main').classList.toggle('of-series', series !== null);
  byId('text').classList.remove('words');
  if (series) writeSeries(series);
  else writeText();
}

function writeText() {
  const box = byId('text');
  box.setAttribute('aria-label', 'Steps');
  const words = tokens().some((token) => [...token].length > 1);
  box.classList.toggle('words', words);
  box.replaceChildren(...tokens().flatMap((token, step) => {
    const span = element('span', shown(token), { id: `step-${step}`, role: 'option' });
    span.dataset.step = step;
    span.classList.toggle('masked', isMasked(step));
    return words ? [span, document.createTextNode(' ')] : [span];
  }));
}

function paintText() {
  for (const it of document.querySelectorAll('#text [data-step]')) {
    const masked = isMasked(it.dataset.step);
    const number = value(state.quantity, state.unit, Number(it.dataset.step));
    const painted = css(masked ? MASKED_BAND : colour(quantityNow(), number));
    if (it instanceof SVGElement) it.style.fill = painted;
    else if (!masked) it.style.backgroundColor = painted;
  }
}

function paintHeat() {
  const { units, time, mask } = layerNow();
  const canvas = byId('heat');
  canvas.width = time;
  canvas.height = units;
  const context = canvas.getContext('2d');
  const image = context.createImageData(time, units);
  const palette = Array.from({ length: data.levels }, (_, level) => {
    const [r, g, b, a] = colour(quantityNow(), opened(quantityNow(), level));
    return [r, g, b, Math.round(255 * a)];
  });
  const start = starts[state.layer][state.quantity];
  for (let at = 0; at < units * time; at++) {
    image.data.set(mask?.[at % time] === 0 ? MASKED : palette[levels[start + at]], 4 * at);
  }
  context.putImageData(image, 0, 0);
}

function labelHeat() {
  const { units, time } = layerNow();
  const each = data.letters && data.tokens.length === time ? 'step (character)' : 'step';
  byId('heat-axis').replaceChildren(
    ...['step 0', `${each} to the right, unit 0 to ${units - 1} down`, `step ${time - 1}`]
      .map((text) => element('span', text)));
}

function paintLegend() {
  const quantity = quantityNow();
  const factor = quantity.kind === 'factor';
  const most = quantity.most.toFixed(2);
  byId('legend-low').textContent = factor ? 'shut 0' : `-${most} or less`;
  byId('legend-high').textContent = factor ? '1 open' : `${most} or more`;
  const [low, high] = [BELOW, ABOVE].map((it) => css([...it, strongest()]));
  byId('legend-bar').style.background =
    `linear-gradient(90deg, ${low}, transparent, ${high})`;
}

function scatter(name, { low, high }) {
  const quantity = layerNow().quantities.find((it) => it.name === name);
  const svg = drawn('svg', { viewBox: '-14 -4 128 122', role: 'img' });
  inItsColour(svg, quantity);
  svg.setAttribute('aria-label', `${name}: how often each unit is open and shut`);
  svg.append(
    drawn('rect', { class: 'frame', width: 100, height: 100 }),
    drawn('line', { class: 'frame', x1: 0, y1: 0, x2: 100, y2: 100 }),
    drawn('text', { x: 0, y: 109 }, '0'),
    drawn('text', { x: 50, y: 109, 'text-anchor': 'middle' }, 'open: share above 0.9'),
    drawn('text', { x: 100, y: 109, 'text-anchor': 'end' }, '1'),
    drawn('text', { x: -4, y: 100, 'text-anchor': 'end' }, '0'),
    drawn('text', { x: -4, y: 6, 'text-anchor': 'end' }, '1'),
    drawn('text', { x: -4, y: 50, 'text-anchor': 'middle', transform: 'rotate(-90 -4 50)' },
      'shut: share below 0.1'));
  for (let unit = 0; unit < low.length; unit++) {
    const dot = drawn('circle', { cx: 100 * high[unit], cy: 100 - 100 * low[unit], r: 2.2 });
    dot.dataset.unit = unit;
    dot.append(drawn('title', {}, `unit ${unit}: open ${high[unit]}, shut ${low[unit]}`));
    svg.append(dot);
  }
  const figure = element('div', '');
  figure.append(nameOf(quantity), svg);
  return figure;
}

function drawSaturation() {
  const charts = Object.entries(layerNow().saturation).map(([name, it]) => scatter(name, it));
  byId('saturation').replaceChildren(...charts);
  byId('saturation').closest('section').hidden = charts.length === 0;
}

function columns() {
  const { half_life: halfLife, goes_with: goesWith } = layerNow();
  const found = {};
  if (goesWith) {
    found['goes with'] = [(it) => goesWith[it][0].replaceAll('_', ' ')];
    found.correlation = [(it) => goesWith[it][1].toFixed(2), (it) => -Math.abs(goesWith[it][1])];
  }
  if (halfLife) {
    const steps = (it) => halfLife[it] === '∞' ? Infinity : halfLife[it] ?? -1;
    found['half-life, steps'] = [(it) => halfLife[it] ?? '–', (it) => -steps(it)];
  }
  found.unit = [(it) => it, (it) => it];
  return found;
}

const orders = () => Object.entries(columns()).filter(([, it]) => it[1]).map(([name]) => name);

// What of it goes with the text, and over which rows.
function unitsHint() {
  const { main, rows, goes_with: goesWith, half_life: halfLife } = layerNow();
  const over = rows > 1 ? ` over all ${rows} rows` : '';
  return [
    goesWith ? `Pearson's correlation of ${main} in the text shown.` : '',
    halfLife ? `Half of a memory is forgotten in its half-life${over}.` : '',
  ].join(' ').trim();
}

function rankUnits() {
  const known = columns();
  const order = known[byId('order').selectedOptions[0]?.textContent] ?? known.unit;
  const units = [...Array(layerNow().units).keys()];
  units.sort((one, other) => order[1](one) - order[1](other));
  const names = Object.keys(known).filter((name) => name !== 'unit');
  const heads = ['unit', ...names].map((name) => element('th', name, { scope: 'col' }));
  byId('ranking').tHead.rows[0].replaceChildren(...heads);
  byId('ranking').tBodies[0].replaceChildren(...units.map((unit) => {
    const line = element('tr', '');
    const button = element('button', unit, { type: 'button', 'aria-label': `Pick unit ${unit}` });
    const first = element('td', '');
    first.append(button);
    line.append(first, ...names.map((name) => element('td', known[name][0](unit))));
    line.dataset.unit = unit;
    return line;
  }));
}

// A row for each quantity, whose values change from step to step.
function listQuantities() {
  byId('values').tBodies[0].replaceChildren(...layerNow().quantities.map((it) => {
    const line = element('tr', '');
    const name = element('th', '', { scope: 'row' });
    name.append(nameOf(it));
    line.append(name, element('td', '', { class: 'number' }));
    return line;
  }));
}

function showValues() {
  layerNow().quantities.forEach((it, at) => {
    const line = byId('values').tBodies[0].rows[at];
    line.classList.toggle('picked', at === state.quantity);
    const number = value(at, state.unit, state.step);
    line.cells[1].textContent = said(number);
    line.cells[1].style.backgroundColor = css(colour(it, number));
  });
}

function showStep() {
  const { path, found } = layerNow();
  const series = seriesNow();
  const token = series
    ? toldStep(series, state.step) : shown(tokens()[state.step]).trim() || '␣';
  const masked = isMasked(state.step) ? ', masked' : '';
  byId('status').textContent =
    `Step ${state.step}, ${token}${masked}: unit ${state.unit} of ${path}\n${found[state.unit]}`;
  showValues();
  mark();
}

function mark() {
  const { units, time } = layerNow();
  document.querySelectorAll('#text .here').forEach((it) => {
    it.classList.remove('here');
    it.removeAttribute('aria-selected');
  });
  byId(`step-${state.step}`).classList.add('here');
  byId(`step-${state.step}`).setAttribute('aria-selected', 'true');
  byId('text').setAttribute('aria-activedescendant', `step-${state.step}`);
  if (seriesNow()) markSeries(seriesNow());
  byId('heat-unit').style.top = `${100 * (state.unit + 0.5) / units}%`;
  byId('heat-step').style.left = `${100 * (state.step + 0.5) / time}%`;
  for (const it of document.querySelectorAll('circle, #ranking tbody tr')) {
    it.classList.toggle('picked', Number(it.dataset.unit) === state.unit);
  }
}

function pickUnit(unit) {
  const last = layerNow().units - 1;
  state.unit = Math.max(0, Math.min(last, Math.trunc(unit) || 0));
  byId('unit').value = state.unit;
  paintText();
  showStep();
}

function pickStep(step, scroll = false) {
  state.step = Math.max(0, Math.min(layerNow().time - 1, step));
  showStep();
  if (scroll) byId(`step-${state.step}`).scrollIntoView({ block: 'nearest' });
}

function pickQuantity(quantity) {
  state.quantity = quantity;
  byId('meaning').textContent = quantityNow().meaning;
  paintLegend();
  paintText();
  paintHeat();
  showStep();
}

function pickLayer(at) {
  state.layer = at;
  const { units, quantities, main, time, first } = layerNow();
  state.unit = Math.min(state.unit, units - 1);
  state.step = Math.min(state.step, time - 1);
  const quantity = quantities.findIndex((it) => it.name === main);
  fillSelect(byId('quantity'), quantities.map((it) => it.name), quantity);
  fillSelect(byId('order'), orders(), 0);
  byId('unit').max = units - 1;
  writeRead();
  listQuantities();
  drawSaturation();
  labelHeat();
  byId('units-hint').textContent = unitsHint();
  rankUnits();
  // Starts with the unit that means most.
  state.unit = first;
  byId('unit').value = state.unit;
  pickQuantity(quantity);
}

function pickColumn(column) {
  state.column = column;
  writeRead();
  paintText();
  showStep();
}

function repaint() {
  strongestNow = null;
  paintLegend();
  paintText();
  paintHeat();
  showStep();
}

const KEYS = {
  ArrowRight: () => pickStep(state.step + 1, true),
  ArrowLeft: () => pickStep(state.step - 1, true),
  Home: () => pickStep(0, true),
  End: () => pickStep(layerNow().time - 1, true),
  ArrowDown: () => pickUnit(state.unit + 1),
  ArrowUp: () => pickUnit(state.unit - 1),
};

function place(event) {
  const box = byId('heat').getBoundingClientRect();
  const { units, time } = layerNow();
  return [
    Math.floor(units * (event.clientY - box.top) / box.height),
    Math.floor(time * (event.clientX - box.left) / box.width),
  ];
}

function pickFrom(selector) {
  return (event) => {
    const found = event.target.closest(selector);
    if (found) pickUnit(Number(found.dataset.unit));
  };
}

function listen() {
  byId('pickers').addEventListener('submit', (event) => event.preventDefault());
  byId('layer').addEventListener('change', (event) => pickLayer(Number(event.target.value)));
  byId('quantity').addEventListener('change', (event) => pickQuantity(Number(event.target.value)));
  byId('unit').addEventListener('input', (event) => {
    if (event.target.value !== '') pickUnit(Number(event.target.value));
  });
  byId('column').addEventListener('change', (event) => pickColumn(Number(event.target.value)));
  byId('order').addEventListener('change', () => { rankUnits(); mark(); });
  const overStep = (event) => {
    const { step } = event.target.dataset;
    if (step !== undefined) pickStep(Number(step));
  };
  byId('text').addEventListener('pointerover', overStep);
  byId('text').addEventListener('click', overStep);
  byId('text').addEventListener('keydown', (event) => {
    if (!KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  byId('heat-frame').addEventListener('click', (event) => {
    const [unit, step] = place(event);
    pickStep(step, true);
    pickUnit(unit);
  });
  byId('heat-frame').addEventListener('pointermove', (event) => {
    const [unit, step] = place(event);
    const { units, time } = layerNow();
    if (unit < 0 || unit >= units || step < 0 || step >= time) return;
    byId('heat-frame').title =
      `unit ${unit}, step ${step}: ${said(value(state.quantity, unit, step))}`;
  });
  byId('saturation').addEventListener('click', pickFrom('circle'));
  byId('ranking').addEventListener('click', pickFrom('tr[data-unit]'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
}

async function start() {
  levels = await unpacked(byId('numbers').textContent);
  starts = places();
  if (data.series) {
    state.column = data.series.names.length - 1;
    fillSelect(byId('column'), data.series.names, state.column);
  }
  fillSelect(byId('layer'), data.layers.map((it) => it.path), 0);
  byId('precision').textContent = `Numbers are rounded to ${data.levels} levels `
    + 'between the least and the greatest of a quantity.';
  listen();
  pickLayer(0);
  document.body.dataset.ready = 'true';
}

start();
