// Keeps a page up to date: the server sends the part that changes, and this puts it in place,
// node by node, so that focus, selection and scrolling stay where they are. Without it pages are
// as they were when they were loaded.

const live = document.getElementById("live");
const controls = document.getElementById("controls");

/** Makes the children of one node like those of another. */
function become(now, next) {
	const want = [...next.childNodes];
	const have = [...now.childNodes];
	want.forEach((node, i) => {
		const old = have[i];
		if (!old) {
			now.append(node.cloneNode(true));
		} else if (old.nodeName !== node.nodeName || (old.id || "") !== (node.id || "")) {
			old.replaceWith(node.cloneNode(true));
		} else if (old.nodeType === Node.TEXT_NODE) {
			if (old.data !== node.data) old.data = node.data;
		} else if (old.nodeType === Node.ELEMENT_NODE && !old.isEqualNode(node)) {
			likeAttributes(old, node);
			become(old, node);
		}
	});
	have.slice(want.length).forEach((node) => node.remove());
}

function likeAttributes(old, node) {
	for (const { name } of [...old.attributes]) {
		if (!node.hasAttribute(name)) old.removeAttribute(name);
	}
	for (const { name, value } of node.attributes) {
		if (old.getAttribute(name) !== value) old.setAttribute(name, value);
	}
}

function start() {
	const status = document.getElementById("stream");
	const pause = document.getElementById("pause");
	const every = document.getElementById("every");
	const parser = new DOMParser();
	let source, retry;

	const say = (text) => { if (status.textContent !== text) status.textContent = text; };

	function stop() {
		clearTimeout(retry);
		source?.close();
	}

	function open() {
		stop();
		const query = new URLSearchParams(location.search);
		query.set("page", live.dataset.page);
		query.set("every", every.value);
		source = new EventSource("stream?" + query);
		source.onopen = () => say("Live");
		source.onmessage = (event) => {
			say("Live");
			const start = performance.now();
			become(live, parser.parseFromString(event.data, "text/html").body);
			performance.measure("update", { start }); // for developers' tools, and large.mjs
			performance.clearMeasures("update");
		};
		source.onerror = () => {
			say("No answer: trying again");
			// The browser tries again by itself, unless it was refused.
			if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, 5000);
		};
	}

	pause.addEventListener("click", () => {
		const paused = pause.getAttribute("aria-pressed") !== "true";
		pause.setAttribute("aria-pressed", String(paused));
		if (paused) {
			stop();
			say("Paused");
		} else {
			open();
		}
	});
	every.addEventListener("change", () => {
		if (pause.getAttribute("aria-pressed") !== "true") open();
	});
	// A page that is not looked at asks for nothing, and holds no connection.
	document.addEventListener("visibilitychange", () => {
		if (pause.getAttribute("aria-pressed") === "true") return;
		document.hidden ? stop() : open();
	});
	controls.hidden = false;
	open();
}

if (live?.dataset.page !== undefined && controls) start();
