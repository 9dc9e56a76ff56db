// The GRU: its diagram and its guide.

const gates = {
  reset_gate: {
    title: 'reset gate', colour: 'forget', equation: 'lets r of M be read', factor: 'reset_factor',
    numbers: [['M', 'before_memory'], ['r', 'reset_factor']],
  },
  candidate: { title: 'candidate', colour: 'learn', equation: 'tanh of M, r and E', numbers: [['c', 'candidate']] },
  update_gate: {
    title: 'update gate', colour: 'remember', equation: 'z ∘ M + (1 − z) ∘ c', factor: 'update_factor',
    numbers: [['z', 'update_factor']],
  },
};

const wide = {
  size: [780, 330],
  box: [176, 92],
  boxes: { reset_gate: [196, 170], candidate: [440, 170], update_gate: [440, 10] },
  join: { at: [118, 247], text: '[M, E]' },
  wires: [
    [[151, 247], [196, 247]],
    [[168, 247], [168, 84], [440, 84]],
    [[168, 247], [168, 300], [528, 300], [528, 262]],
    [[56, 290], [118, 290], [118, 260]],
  ],
  lines: [
    { value: 'before_memory', points: [[56, 44], [440, 44]] },
    { value: 'before_memory', points: [[118, 44], [118, 234]] },
    { value: 'reset_factor', points: [[372, 216], [440, 216]] },
    { value: 'candidate', points: [[528, 170], [528, 102]] },
    { value: 'memory', points: [[616, 56], [722, 56]] },
  ],
  labels: [
    { text: ['memory'], value: 'before_memory', at: [0, 22], valueAt: [0, 49], anchor: 'start' },
    { text: ['event'], value: 'event', at: [0, 268], valueAt: [0, 296], anchor: 'start' },
    { text: ['c'], value: 'candidate', at: [542, 140], anchor: 'start' },
    { text: ['memory,', 'output'], value: 'memory', at: [780, 14], valueAt: [780, 61], anchor: 'end' },
  ],
};

const tall = {
  size: [360, 470],
  box: [160, 92],
  boxes: { update_gate: [186, 70], candidate: [186, 230], reset_gate: [10, 230] },
  join: { at: [90, 384], text: '[M, E]' },
  wires: [
    [[90, 373], [90, 322]],
    [[123, 384], [266, 384], [266, 322]],
    [[123, 384], [178, 384], [178, 146], [186, 146]],
    [[150, 424], [150, 410], [100, 410], [100, 397]],
  ],
  lines: [
    { value: 'before_memory', points: [[40, 96], [186, 96]] },
    { value: 'before_memory', points: [[4, 110], [4, 384], [57, 384]] },
    { value: 'reset_factor', points: [[170, 276], [186, 276]] },
    { value: 'candidate', points: [[266, 230], [266, 162]] },
    { value: 'memory', points: [[266, 70], [266, 40]] },
  ],
  labels: [
    { text: ['memory'], value: 'before_memory', at: [0, 74], valueAt: [0, 100], anchor: 'start' },
    { text: ['event'], value: 'event', at: [150, 444], valueAt: [150, 464], anchor: 'middle' },
    { text: ['c'], value: 'candidate', at: [280, 200], anchor: 'start' },
    { text: ['memory, output'], value: 'memory', at: [266, 10], valueAt: [266, 30], anchor: 'middle' },
  ],
};

const guide = [
  {
    gate: 'update_gate',
    text: 'Its factor z says how much of the memory stays as it is; the candidate takes the place of the rest. Hold z at 0 for all units: at every step the whole memory is replaced. Read what the second pen writes.',
    action: { label: 'Hold the update factor at 0', hold: { quantity: 'update_factor', value: 0 }, show: 'memory' },
  },
  {
    gate: 'candidate',
    text: 'It is what the memory would become if nothing were kept. Go to the step at which it is strongest, and compare it with what the update gate let through.',
    action: { label: 'Go to the strongest candidate', find: 'candidate', show: 'candidate' },
  },
  {
    gate: 'reset_gate',
    text: 'Its factor r says how much of the memory the candidate may read. Hold r at 0 for all units: candidates come from the last letter alone.',
    action: { label: 'Hold the reset factor at 0', hold: { quantity: 'reset_factor', value: 0 }, show: 'reset_factor' },
  },
];

export const gru = {
  name: 'a GRU',
  gates,
  wide,
  tall,
  guide,
  intro: [
    ['Two gates decide what is '], ['reset', 'forget'], [' and what is '], ['updated', 'remember'], [', by a '],
    ['candidate', 'learn'], [' for the new memory.'],
  ],
};
