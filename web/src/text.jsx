// The text that is read, coloured by a quantity of a unit.
import { colour, css, strength } from './format.js';

export function Text({ text, steps, name, quantity, unit, place, onText, onPlace }) {
  // The browser counts in UTF-16, steps are characters.
  const followCaret = (event) => onPlace([...text.slice(0, event.target.selectionStart)].length - 1);
  return (
    <div class="paper">
      <div class="ink" aria-hidden="true">
        {steps.map(({ character, values }, step) => (
          <span class={step === place ? 'here' : ''}
            style={{ background: css(colour(strength(quantity, values[name][unit]), 0.75)) }}>{character}</span>
        ))}{'\u200b'}
      </div>
      <textarea aria-label="Text to read; the caret picks the step" spellcheck={false} autocapitalize="off"
        autocomplete="off" value={text} onInput={(event) => onText(event.target.value)}
        onClick={followCaret} onKeyUp={followCaret} />
    </div>
  );
}
