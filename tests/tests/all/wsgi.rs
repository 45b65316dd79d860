//! Flask and Django in a component, in a real browser: sessions, templates, forms,
//! static files, and news over a WebSocket of the same component.

use std::path::Path;

use holdfast_tests::browser::{Browser, Tab};
use holdfast_tests::host::Host;
use holdfast_tests::http::{get, whole};
use holdfast_tests::place;
use holdfast_tests::setup::Setup;
use serde_json::json;

use crate::languages::PYTHON;

/// What differs between the two blogs.
struct Blog {
    name: &'static str,
    register: &'static str,
    login: &'static str,
    new: &'static str,
    style: &'static str,
    /// The fields of the form with which people register.
    fields: &'static [&'static str],
}

const FLASK: Blog = Blog {
    name: "flask",
    register: "/auth/register",
    login: "/auth/login",
    new: "/create",
    style: "/static/style.css",
    fields: &["username", "password"],
};

const DJANGO: Blog = Blog {
    name: "django",
    register: "/signup/",
    login: "/accounts/login/",
    new: "/new/",
    style: "/static/blog/style.css",
    fields: &["username", "password1", "password2"],
};

#[tokio::test]
async fn a_flask_blog_works_in_a_browser() {
    blog(&FLASK).await;
}

#[tokio::test]
async fn a_django_blog_works_in_a_browser() {
    blog(&DJANGO).await;
}

/// Somebody who uses the blog.
struct Person<'a> {
    blog: &'a Blog,
    site: String,
    tab: Tab,
}

impl<'a> Person<'a> {
    async fn new(blog: &'a Blog, browser: &Browser, host: &Host, width: u32) -> Self {
        let site = format!("http://{}", host.address());
        let tab = browser.open(&format!("{site}/"), width, 800).await;
        let mut person = Self { blog, site, tab };
        person.is_at("/").await;
        person
    }

    async fn go(&mut self, path: &str) {
        let url = format!("{}{path}", self.site);
        self.tab.call("Page.navigate", json!({"url": url})).await;
        self.is_at(path).await;
    }

    /// Waits until a page is there as a whole.
    async fn is_at(&mut self, path: &str) {
        let path = json!(path);
        let page = format!("location.pathname === {path} && document.readyState === 'complete'");
        self.tab.holds(&page).await;
    }

    /// Fills in the form that has a field of this name, and sends it.
    async fn submit(&mut self, values: &[(&str, &str)]) {
        for (name, value) in values {
            let field = format!("main [name={name}]");
            self.tab.type_into(&field, value).await;
        }
        let (first, _) = values[0];
        // The page before has to be gone, should the next one be of the same path.
        self.tab.evaluate("window.isOld = true").await;
        let form = format!("document.querySelector('main [name={first}]').form.requestSubmit()");
        self.tab.evaluate(&form).await;
        let fresh = "!window.isOld && document.readyState === 'complete'";
        self.tab.holds(fresh).await;
    }

    async fn sees(&mut self, text: &str) {
        let text = json!(text);
        let seen = format!("document.body.innerText.includes({text})");
        self.tab.holds(&seen).await;
    }

    async fn register(&mut self, name: &str, password: &str) {
        self.go(self.blog.register).await;
        let mut values = vec![(self.blog.fields[0], name)];
        values.extend(self.blog.fields[1..].iter().map(|field| (*field, password)));
        self.submit(&values).await;
        self.is_at(self.blog.login).await;
    }

    async fn log_in(&mut self, name: &str, password: &str) {
        self.go(self.blog.login).await;
        self.submit(&[("username", name), ("password", password)])
            .await;
    }

    async fn screenshot(&mut self, what: &str) {
        let file = format!("{}-{what}.png", self.blog.name);
        let folder = place::screenshots();
        self.tab.screenshot(&Path::new(&folder).join(file)).await;
    }
}

async fn blog(blog: &Blog) {
    let component = PYTHON.component(blog.name).await;
    let host = Setup::of_file(blog.name, &component).start().await;
    let browser = Browser::start().await;
    let mut ada = Person::new(blog, &browser, &host, 900).await;
    let mut reader = Person::new(blog, &browser, &host, 390).await;
    reader
        .tab
        .holds("document.body.dataset.live === 'yes'")
        .await;

    ada.sees("There is nothing yet.").await;
    ada.register("ada", "correct-horse").await;
    ada.log_in("ada", "wrong-horse").await;
    ada.is_at(blog.login).await;
    ada.log_in("ada", "correct-horse").await;
    ada.is_at("/").await;
    ada.tab
        .holds("document.querySelector('#who').innerText === 'ada'")
        .await;

    let title = "On <b>engines</b> & notes";
    ada.go(blog.new).await;
    ada.submit(&[("title", title), ("body", "First line\n\nGrüße an alle")])
        .await;
    ada.is_at("/").await;
    ada.sees(title).await;
    ada.sees("Grüße an alle").await;
    reader.sees(&format!("ada has posted “{title}”.")).await;
    reader.screenshot("phone").await;

    // The post can be changed by her alone.
    let edit = "document.querySelector('article a').getAttribute('href')";
    let edit = ada.tab.evaluate(edit).await;
    let edit = edit.as_str().expect("a link");
    assert!([302, 403].contains(&get(&host, edit).await.status.as_u16()));
    ada.go(edit).await;
    ada.submit(&[("title", "On engines")]).await;
    ada.is_at("/").await;
    ada.sees("On engines").await;
    ada.screenshot("wide").await;

    // The page is styled, and the style can be kept by the browser.
    let style = get(&host, blog.style).await;
    assert_eq!(
        (
            style.status.as_u16(),
            style.header("content-type").split(';').next()
        ),
        (200, Some("text/css"))
    );
    let color = "getComputedStyle(document.querySelector('nav')).backgroundColor";
    assert_eq!(ada.tab.evaluate(color).await, "rgb(10, 125, 116)");
    let head = holdfast_tests::http::request("HEAD", "/", holdfast_tests::http::full(""));
    let head = whole(&host, head).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(get(&host, "/nothing/there").await.status, 404);

    ada.tab.evaluate("window.isOld = true").await;
    ada.tab
        .evaluate("document.querySelector('nav form').requestSubmit()")
        .await;
    ada.tab
        .holds("!window.isOld && !document.querySelector('#who')")
        .await;
    for person in [&ada, &reader] {
        assert!(
            person.tab.complaints().is_empty(),
            "{:?}",
            person.tab.complaints()
        );
    }
}
