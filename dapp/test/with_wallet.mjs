/** The same life with the money in a wallet of the browser: what it is asked, and what it refuses. */
import { check, Person } from "./people.mjs";
import { TestWallet } from "./wallet.mjs";

const ASKED_ON_CHAIN = ["eth_sendTransaction", "wallet_sendCalls"];
/** Of the chain's own accounts, those that nothing else in the network uses. */
const OURS = [7, 9];

export async function livesWithWallet(browser, url, network) {
  const probe = new TestWallet(network.rpc, []);
  const accounts = (await probe.node("eth_accounts", [])).slice(...OURS);
  const [mine] = accounts;
  const wallet = new TestWallet(network.rpc, accounts);
  const balance = async () => BigInt(await wallet.node("eth_getBalance", [mine, "latest"]));
  const bob = await Person.at(browser, url);
  await wallet.installIn(bob.context);
  const said = (text) => bob.page.getByText(text).first().waitFor();
  const no = (which) => (method) => method !== which;

  await bob.visit();
  wallet.answer = no("eth_requestAccounts");
  await bob.press("Test wallet");
  await said("You said no in Test wallet");
  wallet.answer = no("wallet_addEthereumChain");
  await bob.begin("a password", "Test wallet");
  check(!(await bob.faucetIsOffered()), "a rich account needs no faucet");
  await said("You said no in Test wallet");
  wallet.answer = no("eth_signTypedData_v4");
  await bob.press("Ask again");
  await said("You said no in Test wallet");
  check(wallet.taken("wallet_addEthereumChain") === 2, "the network is added to the wallet");
  await wallet.choose(1);
  await bob.page.locator('[data-test="other-account"]').waitFor();
  await bob.press("Ask again");
  await said("Test wallet shows account");
  check(wallet.taken("eth_signTypedData_v4") === 1, "another account is not asked to sign");
  await wallet.choose(1);
  await bob.page.reload();
  wallet.answer = () => true;
  await bob.unlock("a password");
  await bob.page.locator('[data-test="prompt"]').waitFor({ state: "detached" });

  wallet.answer = no("eth_sendTransaction");
  await bob.go("Open");
  await bob.press("What does it cost?");
  await bob.press("Open it");
  await said("You said no in Test wallet");
  await wallet.goTo(1);
  await bob.page.locator('[data-test="other-network"]').waitFor();
  wallet.taken(...ASKED_ON_CHAIN);
  wallet.answer = () => true;
  await bob.press("Ask again");
  await bob.channelIs("open");
  check(wallet.taken("wallet_switchEthereumChain") === 1, "the wallet is brought back");
  check(wallet.taken(...ASKED_ON_CHAIN) === 1, "one prompt opens a channel");
  check(wallet.taken("eth_signTypedData_v4") === 1, "one signature in all, at the beginning");

  await bob.go("Settings");
  await bob.press("Give it 0.01 ETH");
  await bob.page.locator('[data-test="purse-has"]', { hasText: "0.01" }).waitFor();
  check(wallet.taken(...ASKED_ON_CHAIN) === 1, "one prompt gives the page's key ether to defend");

  wallet.prompts = [];
  for (const note of ["one", "two", "three"]) await bob.pay(network.shop, "0.001", note);
  check(wallet.prompts.length === 0, `no prompt for payments: ${wallet.prompts}`);

  const before = await balance();
  await bob.go("Channels");
  await bob.press("Close");
  await bob.press("Close together now?");
  await bob.heading("No channel yet").waitFor();
  check((await balance()) > before + 10n ** 16n, "the money is back in the wallet's account");
  check(wallet.taken(...ASKED_ON_CHAIN) <= 1, "one prompt at most closes it");
  check(bob.faults.length === 0, `no faults: ${bob.faults}`);
  return { bob, wallet };
}
