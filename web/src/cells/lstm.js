// The lesson's LSTM and the standard one: their diagram and their guide.

const gates = {
  forget_gate: {
    title: 'forget gate', colour: 'forget', equation: 'LTM ∘ f', factor: 'forget_factor',
    numbers: [['LTM', 'before_long_term_memory'], ['f', 'forget_factor']],
  },
  learn_gate: {
    title: 'learn gate', colour: 'learn', equation: 'N ∘ i', factor: 'ignore_factor',
    numbers: [['N', 'new_information'], ['i', 'ignore_factor']],
  },
  remember_gate: { title: 'remember gate', colour: 'remember', equation: 'kept + learned', numbers: [] },
  use_gate: {
    title: 'use gate', colour: 'use', equation: 'U ∘ V', factor: 'use_factor',
    numbers: [['U', 'useful_memory'], ['V', 'use_factor']],
  },
};

// Lying, for wide screens.
const wide = (read) => ({
  size: [780, 346],
  box: [156, 92],
  boxes: { forget_gate: [206, 22], learn_gate: [206, 178], remember_gate: [478, 22], use_gate: [478, 240] },
  join: { at: [134, 263], text: '[STM, E]' },
  wires: [
    [[167, 263], [184, 263], [184, 92], [206, 92]],
    [[184, 224], [206, 224]],
    [[184, 263], [184, 310], [478, 310]],
    [[56, 302], [134, 302], [134, 276]],
  ],
  lines: [
    read === 'kept'
      ? { value: 'kept', points: [[410, 68], [410, 268], [478, 268]] }
      : { value: 'long_term_memory', points: [[680, 68], [680, 176], [600, 176], [600, 240]] },
    { value: 'before_long_term_memory', points: [[56, 56], [206, 56]] },
    { value: 'before_short_term_memory', points: [[56, 224], [134, 224], [134, 250]] },
    { value: 'kept', points: [[362, 68], [478, 68]] },
    { value: 'learned', points: [[362, 224], [556, 224], [556, 114]], over: true },
    { value: 'long_term_memory', points: [[634, 68], [722, 68]] },
    { value: 'short_term_memory', points: [[634, 286], [722, 286]] },
  ],
  labels: [
    { text: ['long-term memory'], value: 'before_long_term_memory', at: [0, 32], valueAt: [0, 61], anchor: 'start' },
    { text: ['short-term memory'], value: 'before_short_term_memory', at: [0, 200], valueAt: [0, 229], anchor: 'start' },
    { text: ['event'], value: 'event', at: [0, 280], valueAt: [0, 308], anchor: 'start' },
    { text: ['kept'], value: 'kept', at: [418, 54], anchor: 'middle' },
    { text: ['learned'], value: 'learned', at: [486, 210], anchor: 'middle' },
    { text: ['long-term memory'], value: 'long_term_memory', at: [780, 40], valueAt: [780, 73], anchor: 'end' },
    { text: ['short-term memory,', 'output'], value: 'short_term_memory', at: [780, 244], valueAt: [780, 291], anchor: 'end' },
  ],
});

// Standing, for phones.
const tall = (read) => ({
  size: [360, 492],
  box: [146, 92],
  boxes: { forget_gate: [24, 84], learn_gate: [24, 264], remember_gate: [208, 84], use_gate: [208, 264] },
  join: { at: [97, 410], text: '[STM, E]' },
  wires: [
    [[97, 378], [8, 378], [8, 130], [24, 130]],
    [[97, 378], [250, 378], [250, 356]],
    [[97, 399], [97, 356]],
    [[160, 444], [160, 410], [131, 410]],
  ],
  lines: [
    read === 'kept'
      ? { value: 'kept', points: [[184, 130], [184, 236], [262, 236], [262, 264]] }
      : { value: 'long_term_memory', points: [[281, 66], [357, 66], [357, 236], [281, 236], [281, 264]] },
    { value: 'before_long_term_memory', points: [[97, 48], [97, 84]] },
    { value: 'before_short_term_memory', points: [[34, 444], [34, 410], [63, 410]] },
    { value: 'kept', points: [[170, 130], [208, 130]] },
    { value: 'learned', points: [[170, 310], [196, 310], [196, 204], [300, 204], [300, 176]], over: true },
    { value: 'long_term_memory', points: [[281, 84], [281, 48]] },
    { value: 'short_term_memory', points: [[312, 356], [312, 440]] },
  ],
  labels: [
    { text: ['long-term memory'], value: 'before_long_term_memory', at: [97, 14], valueAt: [97, 36], anchor: 'middle' },
    { text: ['short-term'], value: 'before_short_term_memory', at: [48, 464], valueAt: [48, 484], anchor: 'middle' },
    { text: ['event'], value: 'event', at: [160, 464], valueAt: [160, 484], anchor: 'middle' },
    { text: ['kept'], value: 'kept', at: [189, 76], anchor: 'middle' },
    { text: ['learned'], value: 'learned', at: [272, 224], anchor: 'middle' },
    { text: ['long-term memory'], value: 'long_term_memory', at: [281, 14], valueAt: [281, 36], anchor: 'middle' },
    { text: ['output'], value: 'short_term_memory', at: [312, 464], valueAt: [312, 484], anchor: 'middle' },
  ],
});

const guide = [
  {
    gate: 'forget_gate',
    text: 'What a unit remembers for long is multiplied by its forget factor f at every step: 1 keeps all of it, 0 nothing. Put the caret at the start of the text and walk through it with the arrow keys: the long-term memory of this unit goes with what its name says. Then hold f at 0 for all units, and read what the second pen writes: the long-term memory is gone, and the short-term memory alone does not reach far.',
    action: { label: 'Hold the forget factor at 0', hold: { quantity: 'forget_factor', value: 0 }, show: 'long_term_memory' },
  },
  {
    gate: 'learn_gate',
    text: 'From the event and the short-term memory it makes new information N, and lets only a part of it in: the ignore factor i says how much. Hold i at 0 for all units: nothing is ever learned, the long-term memory stays empty, and the model writes without knowing what it has read.',
    action: { label: 'Hold the ignore factor at 0', hold: { quantity: 'ignore_factor', value: 0 }, show: 'learned' },
  },
  {
    gate: 'remember_gate',
    text: 'It adds what was kept and what was learned; there is nothing in it to hold. Go to the step at which this unit learned most, and check the sum by hand: kept + learned = long-term memory.',
    action: { label: 'Go to where it learned most', find: 'learned', show: 'learned' },
  },
  {
    gate: 'use_gate',
    text: 'Not all that is remembered is of use right now: the use factor V says how much of it becomes the output, which the next letter is guessed from. Hold V at 0 for all units: it remembers, and uses none of it; after every letter the model expects the same.',
    action: { label: 'Hold the use factor at 0', hold: { quantity: 'use_factor', value: 0 }, show: 'use_factor' },
  },
];

const cell = (read) => ({
  name: 'an LSTM',
  gates,
  wide: wide(read),
  tall: tall(read),
  guide,
  intro: [
    ['Four gates decide what is '], ['learned', 'learn'], [', '], ['forgotten', 'forget'], [', '],
    ['remembered', 'remember'], [' and '], ['used', 'use'], ['.'],
  ],
});

export const lesson = cell('kept');
export const standard = cell('long_term_memory');
