// Numbers and names as text and colours.
export const dark = matchMedia('(prefers-color-scheme: dark)');

// From -1 to 1: factors from shut to open, other quantities around zero.
export const strength = ({ kind, scale }, value) =>
  kind === 'factor' ? 2 * value - 1 : Math.max(-1, Math.min(1, value / scale));

// Orange below zero and blue above, which all kinds of eyes tell apart.
// Returns [red, green, blue, alpha].
export function colour(strength, opacity = 1) {
  const [below, above] = dark.matches
    ? [[255, 150, 50], [95, 165, 255]]
    : [[232, 126, 20], [47, 125, 225]];
  return [...(strength < 0 ? below : above), Math.min(1, Math.abs(strength)) * opacity];
}

export const css = ([red, green, blue, alpha]) => `rgb(${red} ${green} ${blue} / ${alpha.toFixed(3)})`;

export function number(value, digits = 2) {
  if (value === undefined || Number.isNaN(value)) return '–';
  const rounded = Number(value.toFixed(digits)) + 0;
  return rounded.toFixed(digits).replace('-', '−');
}

const SYMBOLS = { '\n': '⏎', ' ': '␣', '\t': '⇥' };
export const symbol = (character) => SYMBOLS[character] ?? character;

const SPOKEN = { '\n': 'line break', ' ': 'space', '\t': 'tab' };
export const spoken = (character) => SPOKEN[character] ?? character;

export const words = (name) => name.replaceAll('_', ' ').replace(/(long|short) term/, '$1-term');
