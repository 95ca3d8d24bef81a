/** What the screens show. All of it comes from the node; nothing is kept here alone. */
import { CallRefused, WorkerNode } from "../node/client";
import { DaemonNode, socketOf, tokenFor } from "../node/daemon";
import type {
  FromWorker,
  HeldToken,
  KeptStore,
  Rehearsal,
  Stage,
  Told,
  ToWorker,
  WalletChosen,
  WalletQuestion,
} from "../node/messages";
import { looks } from "../text/language.svelte";
import { exact, typed } from "./money";
import { ETHER, tokens } from "./tokens.svelte";
import { wallets } from "../wallet/state.svelte";
import type {
  Bet,
  Channel,
  Contact,
  Exposure,
  Game,
  Network,
  Offer,
  Payment,
  Rules,
  Status,
  Stream,
} from "./values";

export type Screen = "home" | "open" | "pay" | "request" | "play" | "channels" | "settings";

/** Filled into a form. */
export interface Wanted {
  peer?: string;
  account?: string;
  invitation?: string;
  to?: string;
  /** Of the amount; none: ether. */
  asset?: string;
  amount?: string;
  text?: string;
  game?: string;
}

export interface Problem {
  text: string;
  hint: string;
}

/** What this is called in every language. */
export const NAME = "Perun";
/** Where a daemon listens if nobody says otherwise. */
export const DAEMON_ADDRESS = "http://127.0.0.1:7071";

/** Under which the tab keeps where its daemon is, and its token. */
const DAEMON = "perun daemon";
interface Waiting {
  resolve: (found: unknown) => void;
  reject: (error: Error) => void;
}

const INVITED_SECONDS = 24 * 3600;
const REFRESH_MS = 2_000;
/** After an event; those that come meanwhile are shown with it. */
const SOON_MS = 150;
/** As many as the home screen lists. */
const PAYMENTS = 30;

class Page {
  stage = $state<Stage>("starting");
  why = $state("");
  node = $state("");
  account = $state("");
  /** Of the page's key, if a wallet owns the money: ether there pays for disputes, unasked. */
  purse = $state("");
  /** Where we are attached: the hub that was chosen, whoever serves the page. */
  hub = $state("");
  /** The chain's node that is asked; or two that are compared, a space between. */
  endpoint = $state("");
  phrase = $state("");
  /** What the hub keeps of the words that were typed; undefined: it was not asked yet. */
  found = $state<KeptStore[] | undefined>(undefined);
  /** What became of asking the hub's faucet; undefined: not asked, or it has given. */
  faucet = $state<{ asking: boolean; why: string } | undefined>(undefined);
  refused = $state<Problem | undefined>(undefined);
  network = $state<Network>({});
  screen = $state<Screen>("home");
  status = $state<Status | undefined>(undefined);
  channels = $state<Channel[]>([]);
  payments = $state<Payment[]>([]);
  exposures = $state<Exposure[]>([]);
  contacts = $state<Contact[]>([]);
  offers = $state<Offer[]>([]);
  games = $state<Game[]>([]);
  rules = $state<Rules[]>([]);
  streams = $state<Stream[]>([]);
  bets = $state<Bet[]>([]);
  /** What a link, or another screen, wants to be done on the next one. */
  wanted = $state<Wanted>({});

  /** Address of the daemon that is the node; empty: the node is in this page. */
  daemon = $state("");
  /** Whether the page is served for one daemon, whose token a link brings. */
  handedOver = $state(false);

  #worker: WorkerNode | undefined;
  #daemon: DaemonNode | undefined;
  /** How often a node was reached: a daemon can go and come back. */
  #lives = 0;

  constructor() {
    this.#follow();
    window.addEventListener("hashchange", () => this.#follow());
    void this.#begin();
  }

  async #begin(): Promise<void> {
    try {
      const response = await fetch("/network.json");
      this.network = (await response.json()) as Network;
    } catch {
      this.network = {};
    }
    const named = new URLSearchParams(location.search).get("node");
    if (this.network.node === "daemon") await this.#beHandedOver();
    else if (named !== null || sessionStorage.getItem(DAEMON) !== null) this.#beginDaemon(named);
    else {
      this.#worker = new WorkerNode(
        (message) => this.#hear(message),
        () => this.#refreshSoon(),
      );
    }
  }

  /** A link that was followed: shown on its screen, done by nobody yet. */
  #follow(): void {
    if (!this.#open(location.hash)) return;
    history.replaceState(null, "", location.pathname + location.search);
  }

  /** What a link has behind its `#`: somebody to open with, to pay, to play with. False: nothing
   *  of that. */
  #open(hash: string): boolean {
    const link = new URLSearchParams(hash.slice(1));
    const peer = link.get("open");
    const to = link.get("pay");
    const game = link.get("play");
    const invitation = link.get("with") ?? "";
    if (peer !== null) {
      this.go("open", { peer, account: link.get("account") ?? "", invitation });
    } else if (to !== null) {
      this.go("pay", { to });
    } else if (game !== null) {
      const amount = typed(link.get("stake") ?? "") ?? "0";
      this.go("play", { game, to: link.get("to") ?? "", amount, invitation });
    } else {
      return false;
    }
    return true;
  }

  /** Text that was scanned or pasted: a request or an address is paid, a link is followed. False:
   *  it is none of these. */
  understand(text: string): boolean {
    const said = text.trim();
    if (/^perun(:|1)/i.test(said)) {
      this.go("pay", { to: said });
      return true;
    }
    // Whoever serves the link's page: this one does what it says.
    return /^https?:/i.test(said) && URL.canParse(said) && this.#open(new URL(said).hash);
  }

  /** How others dial us: over the hub that we are attached to. */
  get address(): string {
    return `${this.node}@${this.#hubHost}`;
  }

  get #hubHost(): string {
    return (this.hub || this.network.hub || "").split("@")[1] ?? "";
  }

  /** What a friend follows to open a channel with us; it is good for a day. A node talks to no
   *  strangers: the id of an open request is what lets the friend in. */
  invite(): Promise<string> {
    const { address: open, account } = this;
    return this.#link({ open, account }, looks.words.invite.memo);
  }

  /** The same for a game: who follows it invites us, with everything filled in. */
  inviteToPlay(play: string, stake: string): Promise<string> {
    return this.#link({ play, to: this.address, stake: exact(stake) }, looks.words.play.memo);
  }

  async #link(fields: Record<string, string>, memo: string): Promise<string> {
    const made = await this.call<{ id: string }>("request", { memo, seconds: INVITED_SECONDS });
    const shown = new URLSearchParams({ ...fields, with: made.id });
    return `${location.origin}/#${shown.toString()}`;
  }

  /** The link's code is changed for the token, which stays in this tab. */
  async #beHandedOver(): Promise<void> {
    this.handedOver = true;
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    if (code !== null) {
      history.replaceState(null, "", location.pathname);
      const token = await tokenFor(code);
      if (token !== undefined) sessionStorage.setItem(DAEMON, JSON.stringify({ token }));
    }
    const kept = JSON.parse(sessionStorage.getItem(DAEMON) ?? "{}") as { token?: string };
    this.daemon = location.origin;
    if (kept.token === undefined) this.stage = "token";
    else this.#dial(location.origin, kept.token);
  }

  #beginDaemon(named: string | null): void {
    const kept = JSON.parse(sessionStorage.getItem(DAEMON) ?? "{}") as {
      address?: string;
      token?: string;
    };
    this.daemon = named ?? kept.address ?? "";
    // A token is for the node that it was typed for, whatever a link says.
    if (kept.token === undefined || kept.address !== this.daemon) this.stage = "token";
    else this.#dial(this.daemon, kept.token);
  }

  /** False: that is no address of a node. */
  useDaemon(address: string, token: string): boolean {
    if (socketOf(address) === undefined) return false;
    this.daemon = address;
    sessionStorage.setItem(DAEMON, JSON.stringify({ address, token }));
    this.#dial(address, token);
    return true;
  }

  chooseDaemon(): void {
    this.#worker?.end();
    this.#worker = undefined;
    this.daemon = DAEMON_ADDRESS;
    this.stage = "token";
  }

  forgetDaemon(): void {
    sessionStorage.removeItem(DAEMON);
    location.search = "";
    location.reload();
  }

  #dial(address: string, token: string): void {
    const url = socketOf(address);
    if (url === undefined) return;
    this.stage = "starting";
    this.#daemon = new DaemonNode(
      url,
      token,
      () => {
        this.refused = undefined;
        this.stage = "running";
        void this.#live();
      },
      (why) => (this.stage = why),
      () => this.#refreshSoon(),
    );
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "stage":
        if (message.stage === "handedOver") {
          // From the start: nothing is left to be asked or shown by a node that has ended.
          location.reload();
          return;
        }
        this.stage = message.stage;
        this.why = message.why ?? "";
        if (message.stage === "running") {
          this.node = message.node ?? "";
          this.account = message.account ?? "";
          this.purse = message.purse ?? "";
          this.endpoint = message.settings?.rpc ?? "";
          this.hub = message.settings?.hub ?? "";
          wallets.network = {
            name: this.network.name ?? "",
            rpc: this.endpoint.split(" ")[0] ?? "",
          };
          if (message.settings?.wallet !== undefined) {
            const { rdns, account } = message.settings.wallet;
            wallets.use(rdns, account);
          }
          void this.#live();
        }
        return;
      case "refused":
        this.refused = refusal(message.error);
        return;
      case "phrase":
        this.phrase = message.phrase;
        return;
      case "found":
        this.found = message.found;
        return;
      case "faucet":
        this.#given(message.text);
        return;
      case "wallet":
        void this.#askWallet(message.number, JSON.parse(message.text) as WalletQuestion);
        return;
      case "token":
        this.#answered(message.asset, message.token, message.error);
        return;
      case "rehearsed":
        this.#answered(message.channel, message.played, message.error);
        return;
      case "rpc":
        return;
    }
  }

  /** Questions to the worker that are no calls of the interface, by what they are about. */
  readonly #asked = new Map<string, Waiting[]>();

  #askWorker<T>(message: ToWorker, about: string): Promise<T> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(new Error(looks.words.parts.noNode));
    return new Promise<T>((resolve, reject) => {
      const waiting = { resolve: resolve as (found: unknown) => void, reject };
      this.#asked.set(about, [...(this.#asked.get(about) ?? []), waiting]);
      worker.tell(message);
    });
  }

  #answered(about: string, found: unknown, error: Told | undefined): void {
    const waiting = this.#asked.get(about) ?? [];
    this.#asked.delete(about);
    for (const one of waiting) {
      if (error === undefined) one.resolve(found);
      else {
        const data = { name: error.name, values: {}, do: error.do };
        one.reject(new CallRefused({ code: 0, message: error.text, data }));
      }
    }
  }

  /** Takes a token from now on; and what our account has of it outside channels. */
  async token(asset: string): Promise<HeldToken> {
    const token = await this.#askWorker<HeldToken>({ kind: "token", asset }, asset);
    if (!tokens.known.some((one) => one.asset === token.asset)) {
      tokens.known = [...tokens.known, token];
    }
    return token;
  }

  /** How a dispute about a channel would end; nothing is sent. */
  rehearse(channel: string): Promise<Rehearsal> {
    return this.#askWorker<Rehearsal>({ kind: "rehearse", channel }, channel);
  }

  /** What is paid and asked for if nothing else is said: what there are channels in. */
  get usualAsset(): string {
    const assets = this.channels.map((channel) => channel.asset);
    return assets.includes(ETHER) ? ETHER : (assets[0] ?? ETHER);
  }

  async #askWallet(number: number, question: WalletQuestion): Promise<void> {
    const text = JSON.stringify(await wallets.take(question));
    this.#worker?.tell({ kind: "walletSaid", number, text });
  }

  /** As the worker does it, for a daemon's account. */
  async #askFaucet(): Promise<void> {
    const host = this.#hubHost;
    const here = /^(127\.0\.0\.1|localhost|\[::1\])(:|$)/.test(host);
    try {
      const response = await fetch(`${here ? "http" : "https"}://${host}/faucet`, {
        method: "POST",
        headers: { "Content-Type": "text/plain" },
        body: JSON.stringify({ account: this.account }),
      });
      this.#given(await response.text());
    } catch {
      this.#given("");
    }
  }

  #given(text: string): void {
    let said: { wei?: string; reason?: string } = {};
    try {
      said = JSON.parse(text) as typeof said;
    } catch {
      // Nobody answers, or nobody that we know.
    }
    this.faucet = said.wei === undefined ? { asking: false, why: said.reason ?? "" } : undefined;
    void this.refresh();
  }

  async #live(): Promise<void> {
    this.#lives += 1;
    const life = this.#lives;
    try {
      await this.call("subscribe");
    } catch {
      // It is asked every two seconds as well.
    }
    for (;;) {
      await this.refresh();
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
      if (this.stage !== "running" || life !== this.#lives) return;
    }
  }

  #soon: ReturnType<typeof setTimeout> | undefined;

  /** Events come by the hundred: the node has payments to do, too. */
  #refreshSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.refresh();
    }, SOON_MS);
  }

  #refreshing = false;
  #again = false;

  /** Asks for everything that is shown; what is wanted meanwhile is asked for once after that. */
  async refresh(): Promise<void> {
    this.#again = true;
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#askAll();
      }
    } finally {
      this.#refreshing = false;
    }
  }

  async #askAll(): Promise<void> {
    if (this.stage !== "running") return;
    try {
      const [status, channels, payments, exposure, contacts, offers, games, rules, streams, bets] =
        await Promise.all([
          this.call<Status>("status"),
          this.call<Channel[]>("channels"),
          this.call<Payment[]>("payments", { limit: PAYMENTS }),
          this.call<{ channels: Exposure[] }>("exposure"),
          this.call<Contact[]>("contacts"),
          this.call<Offer[]>("offers"),
          this.call<Game[]>("games"),
          this.call<Rules[]>("rules"),
          this.call<Stream[]>("streams"),
          this.call<Bet[]>("bets"),
        ]);
      this.contacts = contacts;
      this.offers = offers;
      this.games = games;
      this.rules = rules;
      this.streams = streams;
      this.bets = bets;
      this.status = status;
      tokens.known = status.network.tokens;
      this.node = status.node;
      this.account = status.account;
      this.channels = channels;
      this.payments = payments;
      this.exposures = exposure.channels;
    } catch (error) {
      this.refused = problem(error);
    }
  }

  call<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    const calls = this.#daemon?.calls ?? this.#worker?.calls;
    if (calls === undefined) return Promise.reject(new Error(looks.words.parts.noNode));
    return calls.call<T>(method, params);
  }

  go(screen: Screen, wanted: Wanted = {}): void {
    this.refused = undefined;
    this.wanted = wanted;
    this.screen = screen;
  }

  /** The tab that has the wallet lets it go, and this one goes on with it. */
  takeOver(): void {
    this.#worker?.tell({ kind: "takeOver" });
  }

  newPhrase(): void {
    this.#worker?.tell({ kind: "newPhrase" });
  }

  create(
    phrase: string,
    password: string,
    rpc: string,
    hub: string,
    tower: string,
    store = 0,
  ): void {
    const { chosen: rdns, account } = wallets;
    const wallet: WalletChosen | undefined = rdns === "" ? undefined : { rdns, account };
    this.refused = undefined;
    // So that the browser does not clear it to make room; it may say no.
    void navigator.storage.persist();
    this.#worker?.tell({
      kind: "create",
      phrase,
      password,
      rpc,
      hub,
      tower,
      store,
      ...(wallet === undefined ? {} : { wallet }),
    });
  }

  look(phrase: string, rpc: string, hub: string): void {
    this.refused = undefined;
    this.#worker?.tell({ kind: "look", phrase, rpc, hub });
  }

  /** After all that was brought back is out: the same words, and a new store. */
  beginAnew(): void {
    this.#worker?.tell({ kind: "beginAnew" });
  }

  /** Whether the node is in this page, rather than a daemon. */
  get isHere(): boolean {
    return this.#worker !== undefined;
  }

  unlock(password: string, rpc = ""): void {
    this.refused = undefined;
    this.#worker?.tell({ kind: "unlock", password, rpc });
  }

  askFaucet(): void {
    this.faucet = { asking: true, why: "" };
    if (this.#worker !== undefined) this.#worker.tell({ kind: "faucet" });
    else void this.#askFaucet();
  }
}

/** What the worker refuses; what it knows by name only has its words here. */
function refusal(error: Told): Problem {
  const { wrong, wrongDo } = looks.words.unlock;
  if (error.name === "WrongPassword") return { text: wrong, hint: wrongDo };
  return { text: error.text, hint: error.do };
}

/** What went wrong, in words, and what to do about it. */
export function problem(error: unknown): Problem {
  if (error instanceof CallRefused) return { text: error.message, hint: error.hint };
  return { text: error instanceof Error ? error.message : String(error), hint: "" };
}

export const page = new Page();
