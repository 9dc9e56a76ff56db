// Names of quantities, in the colour of their gate; each explains itself where
// it is pointed at or has focus, and is picked with a click.

let explained = 0;

// In light and in dark.
function inItsColour(it, { color }) {
  it.style.setProperty('--light', color.line);
  it.style.setProperty('--dark', color.dark);
  it.classList.add('coloured');
}

function nameOf(quantity) {
  const made = element('span', '', { class: 'explained' });
  const button = element('button', quantity.name, { type: 'button' });
  inItsColour(button, quantity);
  button.addEventListener('click', () => {
    const at = layerNow().quantities.indexOf(quantity);
    byId('quantity').value = at;
    pickQuantity(at);
  });
  made.append(button);
  if (!quantity.meaning) return made;
  const id = `meaning-${explained++}`;
  button.setAttribute('aria-describedby', id);
  const tip = element('span', quantity.meaning, { role: 'tooltip', id, class: 'tip' });
  // As Escape does for any tooltip, until the name is left.
  made.addEventListener('keydown', ({ key }) => made.classList.toggle('closed', key === 'Escape'));
  for (const left of ['pointerleave', 'focusout']) {
    made.addEventListener(left, () => made.classList.remove('closed'));
  }
  made.append(tip);
  return made;
}
