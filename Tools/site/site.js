// Search over the pages' text: every word must be in a page; a title counts more.
"use strict";
const root = document.currentScript.dataset.root;
const field = document.getElementById("search");
const list = document.getElementById("found");

function score(page, words) {
  const title = page.t.toLowerCase(), text = page.x.toLowerCase();
  let sum = 0;
  for (const word of words) {
    if (title.includes(word)) sum += 10;
    else if (!text.includes(word)) return 0;
    sum += Math.min(text.split(word).length - 1, 5);
  }
  return sum;
}

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  list.replaceChildren();
  list.hidden = words.length === 0;
  if (list.hidden) return;
  const found = pages.map(page => [score(page, words), page]).filter(([n]) => n > 0).sort((a, b) => b[0] - a[0]).slice(0, 12);
  for (const [, page] of found) {
    const item = document.createElement("li"), link = document.createElement("a"), text = document.createElement("p");
    link.href = root + page.p;
    link.textContent = page.t;
    const at = Math.max(0, page.x.toLowerCase().indexOf(words[0]) - 60);
    text.textContent = (at > 0 ? "… " : "") + page.x.slice(at, at + 160) + " …";
    item.append(link, text);
    list.append(item);
  }
  if (found.length === 0) {
    const item = document.createElement("li");
    item.textContent = `No page has all of: ${words.join(", ")}. Try fewer words.`;
    list.append(item);
  }
}

field.addEventListener("input", show);
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); }
  if (event.key === "Escape") { field.value = ""; show(); field.blur(); }
});
