// Copies the address of this view. Where the browser denies the clipboard, it shows the address for copying by hand.
export default function ({ parentElement }) {
  const button = parentElement.querySelector("button");
  const label = button.querySelector("span");
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      window.prompt("Copy this address", location.href);
      return;
    }
    label.textContent = "Copied";
    setTimeout(() => (label.textContent = "Copy link"), 1500);
  };
}
