// Quantities that the visitor holds at a value, for all units or for one.
//
// A hold is { layer, quantity, unit, value }; its unit is `null` for all.
import { number, words } from './format.js';

const isSame = (one, other) =>
  one.layer === other.layer && one.quantity === other.quantity && one.unit === other.unit;

export const find = (holds, wanted) => holds.find((it) => isSame(it, wanted));

export const without = (holds, hold) => holds.filter((it) => !isSame(it, hold));

export const withHold = (holds, hold) => [...without(holds, hold), hold];

// What the model is given: values by `<layer>_<quantity>`, NaN where free.
export function asInputs(holds, layers) {
  const inputs = {};
  const unitsOf = Object.fromEntries(layers.map((it) => [it.name, it.units]));
  // First those for all units: one for a single unit goes before them.
  const ordered = [...holds].sort((one, other) => (one.unit !== null) - (other.unit !== null));
  for (const { layer, quantity, unit, value } of ordered) {
    const values = (inputs[`${layer}_${quantity}`] ??= new Float32Array(unitsOf[layer]).fill(NaN));
    if (unit === null) values.fill(value);
    else values[unit] = value;
  }
  return inputs;
}

// Quantities of a layer that are held for a unit.
export const heldFor = (holds, layer, unit) =>
  new Set(holds.filter((it) => it.layer === layer && (it.unit === null || it.unit === unit)).map((it) => it.quantity));

export function describe({ layer, quantity, unit, value }, layers) {
  const ofLayer = layers.length > 1 ? ` of ${layer}` : '';
  const ofUnit = unit === null ? '' : `, unit ${unit},`;
  return `${words(quantity)}${ofLayer}${ofUnit} at ${number(value)}`;
}
