// Documents are sent one after the other, each with its progress and its result; without this the form sends them all.

function line(list, name) {
  const item = list.appendChild(document.createElement("li"));
  item.append(Object.assign(document.createElement("strong"), { textContent: name }));
  const bar = Object.assign(document.createElement("progress"), { className: "o-bar", max: 100, value: 0, ariaLabel: name });
  const text = document.createElement("span");
  item.append(bar, text);
  return {
    progress: (percent) => {
      bar.value = percent;
      text.textContent = `${percent}%`;
    },
    end: (accepted, words) => {
      bar.remove();
      item.className = accepted ? "is-ok" : "is-refused";
      text.textContent = words;
    },
  };
}

function send(form, file, shown) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.append("documents", file);
    request.upload.addEventListener("progress", ({ loaded, total }) => shown.progress(Math.round((100 * loaded) / total)));
    request.addEventListener("loadend", () => {
      const answer = request.response?.documents?.[0];
      const failed = request.status === 413 ? form.dataset.tooLarge : form.dataset.failed;
      shown.end(Boolean(answer?.accepted), answer?.text ?? failed);
      resolve();
    });
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.send(body);
  });
}

async function upload(form) {
  const input = form.querySelector("input[type=file]");
  const button = form.querySelector("button[type=submit]");
  const results = form.querySelector("[data-results]");
  const files = [...input.files].map((file) => ({ file, shown: null }));
  results.replaceChildren();
  for (const entry of files) entry.shown = line(results, entry.file.name);
  button.disabled = input.disabled = true;
  for (const { file, shown } of files) {
    if (!file.size) shown.end(false, form.dataset.empty);
    else if (file.size > Number(form.dataset.maxBytes)) shown.end(false, form.dataset.tooLarge);
    else await send(form, file, shown);
  }
  button.disabled = input.disabled = false;
  input.value = "";
  await htmx.ajax("GET", form.action, { target: "#documents-list", swap: "outerHTML" });
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!form.querySelector("button[type=submit]").disabled) upload(form);
  });
}
