// Says on open pages that there is a new post.
const news = document.querySelector("#news");
if (news) {
  const socket = new WebSocket(new URL("/live", location.href.replace(/^http/, "ws")));
  socket.addEventListener("open", () => (document.body.dataset.live = "yes"));
  socket.addEventListener("message", ({ data }) => {
    const { title, author } = JSON.parse(data);
    news.replaceChildren(`${author} has posted “${title}”. `, Object.assign(document.createElement("a"), { href: "/", textContent: "Show it" }));
    news.hidden = false;
  });
}
