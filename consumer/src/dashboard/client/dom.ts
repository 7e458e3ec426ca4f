/** Elements of the page that the server has sent. Texts of strangers only ever become text nodes. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element ${id}`);
  return element as T;
}

export function within<T extends Element = HTMLElement>(parent: ParentNode, selector: string): T {
  const element = parent.querySelector<T>(selector);
  if (element === null) throw new Error(`the page has no element ${selector}`);
  return element;
}

/** A new element, as the template of that id has it. */
export function fromTemplate<T extends Element = HTMLElement>(id: string): T {
  const template = byId<HTMLTemplateElement>(id).content.firstElementChild as T;
  return template.cloneNode(true) as T;
}

/** Leaves what is the same as it is, so that a selection in it stays. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

export function setHidden(element: HTMLElement, hidden: boolean): void {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** Says something to screen readers, once. */
export function announce(text: string): void {
  setText(byId('announcement'), text);
}
