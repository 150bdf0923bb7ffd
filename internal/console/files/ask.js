// Dialogs.

const by = (id) => document.getElementById(id);

// ask opens a dialog and returns a promise of whether it was agreed to.
function ask(dialog) {
  return new Promise((done) => {
    const answered = new AbortController();
    const { signal } = answered;
    const answer = (agreed) => {
      answered.abort(); // the listeners: the next question has its own
      if (dialog.open) dialog.close();
      done(agreed);
    };
    dialog.querySelector('[value="cancel"]').addEventListener("click", () => answer(false), { signal });
    dialog.addEventListener("cancel", () => answer(false), { signal }); // Escape
    dialog.querySelector("form").addEventListener("submit", (e) => {
      e.preventDefault();
      answer(true);
    }, { signal });
    dialog.showModal();
  });
}

// askToken asks for the admin token; why is what the gateway answered without it. null: there is none.
export async function askToken(why) {
  const [what, where] = why.split("; the token is ");
  const wrong = what === "wrong token" ? "That is not the token. " : "";
  const input = by("token");
  input.value = "";
  by("tokenwhy").textContent = where ? `${wrong}It is ${where}.` : why;
  const agreed = await ask(by("tokendialog"));
  const token = input.value.trim();
  input.value = "";
  return agreed && token ? token : null;
}

// confirm asks whether to do something.
export function confirm(title, text, label) {
  by("confirmtitle").textContent = title;
  by("confirmtext").textContent = text;
  by("confirmdo").textContent = label;
  return ask(by("confirm"));
}

let hiding = 0;

// tell says what came of something, for some seconds.
export function tell(text) {
  const toast = by("done");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { toast.hidden = true; }, 6_000);
}
