// Dialogs.

const by = (id) => document.getElementById(id);

// ask opens a dialog and returns a promise of whether it was agreed to.
function ask(dialog) {
  return new Promise((done) => {
    dialog.returnValue = "";
    const cancel = dialog.querySelector('[value="cancel"]');
    const form = dialog.querySelector("form");
    let agreed = false;
    const refuse = () => dialog.close();
    const agree = () => { agreed = true; };
    cancel.addEventListener("click", refuse);
    form.addEventListener("submit", agree);
    dialog.addEventListener("close", () => {
      cancel.removeEventListener("click", refuse);
      form.removeEventListener("submit", agree);
      done(agreed);
    }, { once: true });
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
