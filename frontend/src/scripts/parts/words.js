/** A sentence for the person, written by the server in their language: `<div id="words" data-…>`. */
export function word(name) {
  return document.getElementById("words")?.dataset[name] ?? "";
}
