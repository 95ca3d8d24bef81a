/** Somebody at a browser: what the tests let people do with the page. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { CAMERA } from "./camera.mjs";

/** Long enough for a busy machine; nothing waits so long unless something is broken. */
export const PATIENCE = Number(process.env.PATIENCE ?? 120_000);

const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", ...CAMERA],
};

export function launch() {
  return chromium.launch(CHROMIUM);
}

export function check(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`);
  console.log(`ok: ${what}`);
}

/** Waits until it is so. */
export async function until(what, isSo) {
  const end = Date.now() + PATIENCE;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`it never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

export class Person {
  constructor(context, url) {
    this.context = context;
    this.url = url;
    this.faults = [];
  }

  /** A browser of its own, with nothing in it. */
  static async at(browser, url, options = {}) {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(PATIENCE);
    return new Person(context, url);
  }

  /** … whose storage is on disk; every other one is private, and has it in memory. Who asks for it
   *  closes its context. */
  static async onDisk(url) {
    const folder = mkdtempSync(join(tmpdir(), "perun-"));
    const context = await chromium.launchPersistentContext(folder, CHROMIUM);
    context.on("close", () => rmSync(folder, { recursive: true, force: true, maxRetries: 9 }));
    context.setDefaultTimeout(PATIENCE);
    return new Person(context, url);
  }

  /** Opens a tab. */
  async visit() {
    this.page = await this.context.newPage();
    this.page.on("pageerror", (error) => this.faults.push(error.message));
    this.page.on("console", (message) => {
      if (message.type() === "error") this.faults.push(message.text());
    });
    await this.page.goto(this.url);
  }

  /** A link to the page that is open. */
  async follow(link) {
    await this.page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  }

  async address() {
    await this.go("Settings");
    return this.page.locator('[data-test="address"]').innerText();
  }

  async keepContact(name, address) {
    await this.go("Pay");
    await this.page.getByText("Give somebody a name").click();
    await this.page.locator('[name="contact"]').fill(name);
    await this.page.locator('[name="node"]').fill(address);
    await this.press("Keep");
    await this.page.getByRole("button", { name: `Forget ${name}` }).waitFor();
  }

  /** Into a channel, or out of it, as long as nothing else is under way there. */
  async moveMoney(what, amount, agree) {
    const free = this.page.locator("figcaption strong").first();
    const before = await free.innerText();
    await this.press(what);
    await this.page.locator('[name="move"]').fill(amount);
    await this.press(agree);
    await this.page.waitForFunction(
      (was) => document.querySelector("figcaption strong").innerText !== was,
      before,
    );
  }

  async channelHas(...texts) {
    const one = this.page.locator("main section");
    for (const text of texts) await one.getByText(text).first().waitFor();
  }

  heading(name) {
    return this.page.getByRole("heading", { name });
  }

  press(name) {
    return this.page.getByRole("button", { name, exact: true }).click();
  }

  go(name) {
    return this.page.getByRole("navigation").getByRole("button", { name, exact: true }).click();
  }

  /** An account of the page's own, or that of a wallet; twelve new words and a password. */
  async begin(password, wallet = "Go without a wallet") {
    await this.press(wallet);
    await this.begins(password);
  }

  /** The words are shown. */
  async begins(password) {
    await this.writesDown(password);
    await this.press("Begin");
    await this.heading("Activity").waitFor();
  }

  async writesDown(password) {
    await this.page.locator("ol.words li").nth(11).waitFor();
    const words = await this.page.locator("ol.words li").allInnerTexts();
    this.phrase = words.map((word) => word.trim()).join(" ");
    await this.page.getByLabel("I have written them down").check();
    await this.page.getByLabel("Password for this browser").fill(password);
  }

  /** Where the browser has nothing: what twelve words find. */
  async findsByWords(phrase) {
    await this.press("I have twelve words");
    await this.page.locator('[name="phrase"]').fill(phrase);
    await this.press("Begin");
    return this.page.locator('[data-test="found"]').innerText();
  }

  /** … and all of it goes to the chain. */
  async getsAllOut() {
    await this.press("Get it out");
    await this.press("Get all of it out");
    await this.channelIs("disputed");
  }

  async unlock(password) {
    await this.page.getByLabel("Password").fill(password);
    await this.press("Unlock");
    await this.heading("Activity").waitFor();
  }

  async takeTestEther() {
    await this.press("Get test ether");
    await this.page.locator('[data-test="outside"]', { hasText: "1" }).waitFor();
  }

  async openChannel() {
    await this.go("Open");
    await this.press("What does it cost?");
    await this.press("Open it");
    await this.page.locator('[data-test="begun"]').waitFor();
    await this.channelIs("open");
  }

  async channelIs(phase) {
    await this.go("Channels");
    await this.page.locator(`[data-phase="${phase}"]`).first().waitFor();
  }

  async faucetIsOffered() {
    return (await this.page.getByRole("button", { name: "Get test ether" }).count()) > 0;
  }

  async startPaying(to, amount, note = "") {
    await this.go("Pay");
    await this.page.locator('[name="to"]').fill(to);
    if (amount !== "") await this.page.locator('[name="amount"]').fill(amount);
    if (note !== "") await this.page.locator('[name="note"]').fill(note);
    await this.pressPay();
  }

  pressPay() {
    return this.page.locator("main").getByRole("button", { name: "Pay", exact: true }).click();
  }

  /** What another screen has filled in. */
  async confirmPaying() {
    await this.pressPay();
    await this.page.locator('[data-test="paid"]').waitFor();
  }

  async pay(to, amount, note = "") {
    await this.startPaying(to, amount, note);
    await this.page.locator('[data-test="paid"]').waitFor();
  }

  async request(amount, memo) {
    await this.go("Request");
    await this.page.locator('[name="amount"]').fill(amount);
    await this.page.locator('[name="memo"]').fill(memo);
    await this.press("Make a link");
    return this.page.locator('[data-test="uri"]').innerText();
  }

  /** Lines of the activity with this text in them. */
  activity(text) {
    return this.page.locator(".list li", { hasText: text });
  }

  language() {
    return this.page.evaluate(() => document.documentElement.lang);
  }

  /** The colour behind everything, as it is or as it would be in this theme. */
  ground(theme) {
    return this.page.evaluate((wanted) => {
      const { dataset } = document.documentElement;
      const before = dataset.theme;
      if (wanted !== undefined) dataset.theme = wanted;
      const { backgroundColor } = getComputedStyle(document.body);
      dataset.theme = before;
      return backgroundColor;
    }, theme);
  }

  async balance() {
    await this.go("Home");
    return this.page.locator('[data-test="balance"]').innerText();
  }
}
