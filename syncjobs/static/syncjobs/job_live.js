// Live progress of one job: writes what the socket says into the elements named by data-live. Without a socket the
// page stays as the server rendered it.
(() => {
  "use strict";

  const RETRY_MILLISECONDS = [1000, 2000, 5000, 10000, 30000];
  const LOG_LINES = 30;
  const panel = document.querySelector("[data-live-job]");
  if (!panel || panel.dataset.liveOpen !== "yes" || !("WebSocket" in window)) {
    return;
  }
  const states = JSON.parse(document.getElementById("job-states").textContent);
  const tones = JSON.parse(document.getElementById("job-tones").textContent);
  let failures = 0;
  let isOver = false;

  function write(name, value) {
    for (const element of panel.querySelectorAll(`[data-live="${name}"]`)) {
      element.textContent = value === null || value === undefined ? "–" : String(value);
    }
  }

  function showPercent(percent) {
    const bar = panel.querySelector('[data-live="bar"]');
    if (percent === null || percent === undefined) {
      bar.removeAttribute("value");
      write("percent", "…");
    } else {
      bar.value = percent;
      write("percent", `${percent}%`);
    }
  }

  function showStatus(status) {
    for (const element of panel.querySelectorAll('[data-live="status"]')) {
      element.textContent = states[status] ?? status;
      element.className = `bo-badge bo-${tones[status] ?? "neutral"}`;
    }
  }

  function showJob(job) {
    const { percent, ...counters } = job.progress;
    showPercent(percent);
    showStatus(job.status);
    write("calls", job.calls);
    for (const [name, value] of Object.entries(counters)) {
      write(name, value);
    }
  }

  function showLine(line) {
    const list = document.querySelector("[data-live-log]");
    const item = document.createElement("li");
    const time = document.createElement("time");
    const text = document.createElement("span");
    time.textContent = new Date(line.created_at).toLocaleTimeString("en-GB");
    text.textContent = line.message;
    item.className = `bo-${line.level}`;
    item.append(time, " ", text);
    list.prepend(item);
    while (list.children.length > LOG_LINES) {
      list.lastElementChild.remove();
    }
  }

  function hear(message) {
    if (message.type === "log") {
      showLine(message.data);
    } else if (message.data?.progress) {
      showJob(message.data);
    }
    if (message.type === "finished") {
      isOver = true;
    }
  }

  function connect() {
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const task = encodeURIComponent(panel.dataset.liveJob);
    const socket = new WebSocket(`${scheme}://${window.location.host}/ws/v1/sync/${task}`);
    socket.addEventListener("message", (event) => {
      failures = 0;
      hear(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (!isOver && failures < RETRY_MILLISECONDS.length) {
        window.setTimeout(connect, RETRY_MILLISECONDS[failures]);
        failures += 1;
      }
    });
  }

  connect();
})();
