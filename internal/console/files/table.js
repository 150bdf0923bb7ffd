// Tables that are brought up to date in place, so that focus and selection stay where they are.

import { element } from "./element.js";

export class Table {
  #columns; #key; #body;
  #none; // the row that says that there are none
  #rows = new Map(); // by key

  // columns are [{ label, text(item), kind, title(item), mark(item), act(item), acts }]:
  //   text   what stands there; kind: classes of the cell (name, num, time, lead, broad)
  //   mark   classes of what stands there
  //   act    makes it a button that does this; acts(item): a button only where that is true
  // key names an item; empty is said where there are none.
  constructor(table, columns, key, empty) {
    this.#columns = columns;
    this.#key = key;
    table.setAttribute("role", "table"); // which it must stay where the style sheet makes cards of its rows
    const head = table.createTHead().insertRow();
    for (const { label, kind = "" } of columns) {
      const th = element("th", kind, label);
      th.scope = "col";
      if (!label) th.append(element("span", "unseen", "Actions"));
      head.append(th);
    }
    this.#body = table.createTBody();
    this.#none = this.#nothing(empty);
  }

  show(items) {
    const before = this.#rows;
    this.#rows = new Map();
    const rows = items.map((item) => {
      let key = this.#key(item);
      while (this.#rows.has(key)) key += "+"; // twice the same
      const row = before.get(key) ?? this.#make();
      this.#rows.set(key, row);
      row.item = item;
      this.#fill(row, item);
      return row.tr;
    });
    if (rows.length === 0) rows.push(this.#none);
    // Only what differs is moved: moving an element takes the focus away from it.
    rows.forEach((tr, i) => {
      if (this.#body.children[i] !== tr) this.#body.insertBefore(tr, this.#body.children[i] ?? null);
    });
    while (this.#body.children.length > rows.length) this.#body.lastChild.remove();
  }

  #make() {
    const row = { tr: element("tr"), cells: [], item: null };
    row.tr.setAttribute("role", "row");
    for (const { label, kind = "", act } of this.#columns) {
      const td = element("td", kind);
      td.setAttribute("role", "cell");
      if (label) td.dataset.label = label;
      const inner = td.appendChild(element(act ? "button" : kind.includes("name") ? "bdi" : "span"));
      if (act) {
        inner.type = "button";
        inner.addEventListener("click", () => act(row.item));
      }
      row.cells.push(inner);
      row.tr.append(td);
    }
    return row;
  }

  #fill(row, item) {
    this.#columns.forEach(({ text, title, mark, acts }, i) => {
      const cell = row.cells[i];
      set(cell, "textContent", text(item));
      set(cell, "className", mark?.(item) ?? "");
      set(cell, "title", title?.(item) ?? "");
      if (acts) set(cell, "hidden", !acts(item));
    });
  }

  #nothing(words) {
    const tr = element("tr", "nothing");
    tr.setAttribute("role", "row");
    const td = tr.appendChild(element("td", "", words));
    td.setAttribute("role", "cell");
    td.colSpan = this.#columns.length;
    return tr;
  }
}

function set(e, property, value) {
  if (e[property] !== value) e[property] = value;
}

// Pages goes through a list page by page; the gateway gives out where the next one begins.
export class Pages {
  #at = [""]; // where the pages to here begin
  #next = "";
  #said; #back; #on;

  // changed is called when another page is wanted.
  constructor(p, changed) {
    this.#said = element("span");
    this.#back = button("Back", () => this.#at.pop());
    this.#on = button("Next", () => this.#at.push(this.#next));
    p.append(this.#said, this.#back, this.#on);
    p.hidden = true;

    function button(label, go) {
      const b = element("button", "", label);
      b.type = "button";
      b.addEventListener("click", () => {
        go();
        changed();
      });
      return b;
    }
  }

  get after() { return this.#at.at(-1); }

  reset() { this.#at = [""]; }

  // show says where we are; next is where the next page begins, "" if there is none.
  show(next, words) {
    this.#next = next ?? "";
    this.#back.disabled = this.#at.length === 1;
    this.#on.disabled = !this.#next;
    set(this.#said, "textContent", words ? `Page ${this.#at.length} · ${words}` : `Page ${this.#at.length}`);
    this.#said.parentElement.hidden = this.#at.length === 1 && !this.#next;
  }
}
