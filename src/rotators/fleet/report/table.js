
"use strict";
(() => {
  const STEP = 200;
  const table = document.getElementById("secrets"), body = table.tBodies[0];
  const words = document.getElementById("words"), kind = document.getElementById("kind");
  const more = document.getElementById("more"), shown = document.getElementById("shown");
  const all = Array.from(body.rows, (row, at) => ({ row, at, text: row.textContent.toLowerCase(), kind: row.cells[0].textContent }));
  let column = 0, backwards = false, limit = STEP;

  const compare = {
    o: (a, b) => a.at - b.at,
    t: (a, b) => (a.key === b.key ? a.at - b.at : a.key === "" ? 1 : b.key === "" ? -1 : a.key < b.key ? -1 : 1),
    n: (a, b) => (a.key === b.key ? a.at - b.at : a.key === "" ? 1 : b.key === "" ? -1 : a.key - b.key),
  };
  const number = (count) => count.toLocaleString("en");

  let matching = all;
  function sort() {
    const head = table.tHead.rows[0].cells[column];
    for (const one of all) one.key = one.row.cells[column].textContent;
    all.sort(compare[head.dataset.by]);
    if (backwards) {
      const known = all.filter((one) => one.key !== ""), unknown = all.filter((one) => one.key === "");
      all.splice(0, all.length, ...known.reverse(), ...unknown);
    }
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", backwards ? "descending" : "ascending");
    filter();
  }
  function filter() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    matching = all.filter((one) => (!kind.value || one.kind === kind.value) && wanted.every((word) => one.text.includes(word)));
    limit = STEP;
    draw();
  }
  function draw() {
    body.replaceChildren(...matching.slice(0, limit).map((one) => one.row));
    const visible = Math.min(limit, matching.length);
    shown.textContent = `${number(visible)} of ${number(matching.length)} shown` + (matching.length < all.length ? `, ${number(all.length)} in all` : "");
    more.hidden = visible === matching.length;
    more.textContent = `Show ${number(Math.min(5 * STEP, matching.length - visible))} more`;
  }

  Array.from(table.tHead.rows[0].cells, (cell, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    button.addEventListener("click", () => {
      backwards = column === at && !backwards;
      column = at;
      sort();
    });
    cell.replaceChildren(button);
  });
  words.addEventListener("input", filter);
  kind.addEventListener("change", filter);
  more.addEventListener("click", () => { limit += 5 * STEP; draw(); });
  addEventListener("beforeprint", () => { limit = all.length; draw(); });
  addEventListener("afterprint", () => { limit = STEP; draw(); });
  document.getElementById("controls").hidden = false;
  sort();
  table.classList.add("ready");
})();
