// Shows what pushkit sends. Put this file at the root of your site and register it:
//   navigator.serviceWorker.register("/service_worker.js")
// It reads the JSON of a portable Notification and of a declarative message alike; plain text becomes a title.

function read(data) {
  if (!data) return {};
  try {
    return data.json();
  } catch {
    return { notification: { title: data.text() } };
  }
}

async function show(message) {
  const { title, navigate, app_badge, ...options } = message.notification ?? {};
  const badge = message.app_badge ?? app_badge;
  if (badge !== undefined && navigator.setAppBadge) await navigator.setAppBadge(badge).catch(() => {});
  if (message.background) {
    // Nothing to show: tell the open pages. Browsers allow this rarely, Safari never.
    const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    pages.forEach((page) => page.postMessage(options.data ?? {}));
    return;
  }
  // Where a tap leads travels in `data`, the only member of ours that comes back with a click.
  const links = Object.fromEntries((options.actions ?? []).map((button) => [button.action, button.navigate]));
  options.data = { ...options.data, pushkit: { navigate, links } };
  await self.registration.showNotification(title || self.location.host, options);
}

self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { navigate, links } = event.notification.data?.pushkit ?? {};
  const target = links?.[event.action] ?? navigate;
  if (!target) return;
  const url = new URL(target, self.registration.scope).href;
  event.waitUntil(self.clients.matchAll({ type: "window" }).then((pages) =>
    pages.find((page) => page.url === url)?.focus() ?? self.clients.openWindow(url)));
});
