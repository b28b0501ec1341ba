// What can be copied gets a button; without scripts it is text that can be selected. Printed, everything is unfolded.
for (const code of document.querySelectorAll("div.code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const text = code.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Of a file that was opened from a disk some browsers let no script write to the clipboard: then it is selected.
      getSelection().selectAllChildren(code.querySelector("code"));
      button.textContent = "Selected: press Ctrl-C";
    }
  });
  code.prepend(button);
}
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
