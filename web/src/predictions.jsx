// The likeliest next characters.
import { number, spoken, symbol } from './format.js';

const SHOWN = 10;

export function Predictions({ probabilities, characters, onType }) {
  const likeliest = probabilities
    .map((probability, place) => ({ probability, character: characters[place] }))
    .sort((one, other) => other.probability - one.probability)
    .slice(0, SHOWN);
  return (
    <ol class="predictions">
      {likeliest.map(({ probability, character }) => {
        const percent = 100 * probability;
        return (
          <li key={character}>
            <button type="button" onClick={() => onType(character)}
              aria-label={`Type ${spoken(character)}, ${number(percent, 0)} percent likely`}>
              <kbd>{symbol(character)}</kbd>
              <i style={{ width: `${percent}%` }} />
              <b>{number(percent, percent < 10 ? 1 : 0)}</b>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
