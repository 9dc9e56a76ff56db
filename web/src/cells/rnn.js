// The plain RNN: its diagram and its guide.

const wide = {
  size: [780, 190],
  box: [176, 76],
  boxes: { memory: [320, 42] },
  join: { at: [210, 80], text: '[M, E]' },
  wires: [
    [[243, 80], [320, 80]],
    [[56, 150], [210, 150], [210, 93]],
  ],
  lines: [
    { value: 'before_memory', points: [[56, 80], [177, 80]] },
    { value: 'memory', points: [[496, 80], [716, 80]] },
  ],
  labels: [
    { text: ['memory'], value: 'before_memory', at: [0, 56], valueAt: [0, 85], anchor: 'start' },
    { text: ['event'], value: 'event', at: [0, 128], valueAt: [0, 156], anchor: 'start' },
    { text: ['memory,', 'output'], value: 'memory', at: [780, 38], valueAt: [780, 85], anchor: 'end' },
  ],
};

const tall = {
  size: [360, 330],
  box: [176, 76],
  boxes: { memory: [92, 80] },
  join: { at: [180, 230], text: '[M, E]' },
  wires: [
    [[180, 219], [180, 156]],
    [[290, 270], [290, 230], [213, 230]],
  ],
  lines: [
    { value: 'before_memory', points: [[70, 270], [70, 230], [147, 230]] },
    { value: 'memory', points: [[180, 80], [180, 44]] },
  ],
  labels: [
    { text: ['memory'], value: 'before_memory', at: [70, 294], valueAt: [70, 316], anchor: 'middle' },
    { text: ['event'], value: 'event', at: [290, 294], valueAt: [290, 316], anchor: 'middle' },
    { text: ['memory, output'], value: 'memory', at: [180, 12], valueAt: [180, 34], anchor: 'middle' },
  ],
};

export const rnn = {
  name: 'a plain RNN',
  gates: {
    memory: {
      title: 'small network', colour: 'remember', equation: 'tanh([M, E]·W + b)', numbers: [['M', 'memory']],
    },
  },
  wide,
  tall,
  guide: [
    {
      gate: 'memory',
      text: 'A plain RNN has no gates. At every step its whole memory goes through one small network and is squished again: what it read a while ago fades, whether it matters or not. Go to the step at which this unit is strongest, and walk on from there with the arrow keys: a few letters later nothing is left of it.',
      action: { label: 'Go to where it is strongest', find: 'memory', show: 'memory' },
    },
  ],
  intro: [['One small network makes the new '], ['memory', 'remember'], [' at every step. There are no gates.']],
};
