// Asks for the board after every change, and puts it in place of the old one.
"use strict";

const PAUSE_MS = 300; // between two boards, so that a storm does not keep the browser busy
const RETRY_MS = 2000; // after the sandbox did not answer

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The page says UTC; people read their own time.
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.textContent = at.toLocaleTimeString(undefined, { hour12: false });
    time.title = at.toLocaleString();
  }
}

function replaceBoard(html) {
  const board = new DOMParser().parseFromString(html, "text/html").getElementById("board");
  if (!board) throw new Error("no board in the answer");
  localTimes(board);
  const old = document.getElementById("board");
  const focused = old.contains(document.activeElement) && document.activeElement.value;
  old.replaceWith(board);
  if (focused) board.querySelector(`button[value="${CSS.escape(focused)}"]`)?.focus();
}

async function follow() {
  for (;;) {
    try {
      const version = document.getElementById("board").dataset.version;
      const answer = await fetch(`/board?after=${version}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      replaceBoard(await answer.text());
      document.body.classList.remove("lost");
      await pause(PAUSE_MS);
    } catch {
      document.body.classList.add("lost");
      await pause(RETRY_MS);
    }
  }
}

localTimes(document);
follow();
