// What is drawn and told of a cell, by its kind.
//   name: in a heading.
//   gates: by name, the box of each; `numbers` are pairs of symbol and
//     quantity.
//   wide, tall: the diagram's coordinates, for two shapes of screens. A line
//     is as thick as its value; `over` others, with a gap around it.
//   guide: steps to try.
//   intro: pieces of text, with the colour of a gate.
// Quantities are those of a step; `before_<memory>`, memories before it.
import { gru } from './gru.js';
import { lesson, standard } from './lstm.js';
import { rnn } from './rnn.js';

export const CELLS = { lesson, standard, gru, rnn };
