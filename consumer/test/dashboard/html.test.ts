import { expect } from 'chai';
import { html } from '#consumer/dashboard/html.js';

describe('an HTML template', () => {
  it('escapes what is put into it', () => {
    const key = `<img src=x onerror="a('b')"> & \\n`;
    expect(html`<p title="${key}">${1}</p>`.text).to.equal(
      '<p title="&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt; &amp; \\n">1</p>',
    );
  });

  it('takes HTML, lists of it, and nothing, as they are', () => {
    const items = ['<', '>'].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}${null}</ul>`.text).to.equal('<ul><li>&lt;</li><li>&gt;</li></ul>');
  });
});
