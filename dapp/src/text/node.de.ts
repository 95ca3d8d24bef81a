/** Sentences of the node, as `perun` says them in English, and in German. What stands in braces is
 *  whatever it fills in there, which may be such a sentence itself. */
export const node: readonly (readonly [english: string, german: string])[] = [
  // What a call is refused for (perun/app/errors.py, perun/errors.py).
  ["no {what} {name}", "kein {what} {name}"],
  ["cannot {what} now: {why}", "jetzt nicht möglich ({what}): {why}"],
  [
    "money already signed for is safe; wait, or leave through the chain",
    "unterschriebenes Geld ist sicher; warte, oder geh über die Chain",
  ],
  ["no way to pay {payee} ({step}): {why}; {do}", "kein Weg zu {payee} ({step}): {why}; {do}"],
  [
    "your account has {has} ETH, {needed} ETH are needed, gas included",
    "dein Konto hat {has} ETH, gebraucht werden {needed} ETH samt Gas",
  ],
  [
    "ask for less, or send ETH to your account: `perun balance` shows it",
    "nimm weniger, oder schick ETH auf dein Konto: die Einstellungen zeigen es",
  ],
  ["{asset} is no token: {reason}", "{asset} ist kein Token: {reason}"],
  [
    "the chain's node cannot rehearse anything: {reason}",
    "der Knoten der Chain kann nichts durchspielen: {reason}",
  ],
  [
    "ask another one that knows eth_simulateV1: lock the page, and name it",
    "frag einen anderen, der eth_simulateV1 kennt: sperre die Seite, und nenne ihn",
  ],
  ["nothing to rehearse: {reason}", "nichts zu proben: {reason}"],
  [
    "its dispute has begun, and the chain decides it",
    "sein Streit hat begonnen, und die Chain entscheidet ihn",
  ],
  ["no money of it is on the chain yet", "noch liegt kein Geld davon auf der Chain"],
  [
    "pay something first, or wait until the channel is open",
    "zahle erst etwas, oder warte, bis der Kanal offen ist",
  ],
  ["that is how ETH is written", "so schreibt man ETH"],
  ["it does not say what an account has", "es sagt nicht, was ein Konto hat"],
  [
    "nothing there says how many digits amounts have",
    "nichts dort sagt, wie viele Stellen Beträge haben",
  ],
  [
    "its amounts have {decimals} digits behind the point",
    "seine Beträge haben {decimals} Stellen nach dem Komma",
  ],
  [
    "compare the address with the one that the token's makers publish",
    "vergleiche die Adresse mit der, die die Herausgeber des Tokens nennen",
  ],
  ["not a payment request: {why}", "keine Zahlungsanforderung: {why}"],
  [
    "the request is for {what} {wanted}, this node for {ours}",
    "die Anforderung gilt für {what} {wanted}, dieser Knoten für {ours}",
  ],
  [
    "ask the payee for it again; do not pay what was changed on its way",
    "bitte noch einmal darum; zahle nichts, was unterwegs verändert wurde",
  ],
  [
    "request {id} could be paid until {until}, now it is {now}",
    "die Anforderung {id} galt bis {until}, jetzt ist {now}",
  ],
  ["ask the payee for a new one", "bitte um eine neue"],
  [
    "request {id} of this payee said {field} {before} before, and says {now} now",
    "die Anforderung {id} nannte vorher {field} {before} und nennt jetzt {now}",
  ],
  [
    "nothing was paid: ask the payee which of them is meant",
    "nichts wurde bezahlt: frag nach, welche gemeint ist",
  ],
  [
    "the node asks {asked} for its share now, and {shown} when you looked",
    "der Knoten verlangt für seinen Anteil jetzt {asked}, und {shown}, als du nachsahst",
  ],
  [
    "look again without consent; or name the fee that you pay",
    "sieh noch einmal nach, was es kostet",
  ],
  [
    "the account of {node} is not known: {host} is another node, which only passes things on",
    "das Konto von {node} ist nicht bekannt: {host} ist ein anderer Knoten, der nur weiterreicht",
  ],
  ["{text} is no node id: {reason}", "{text} ist keine Adresse eines Knotens: {reason}"],
  [
    "copy it again, from 'perun1' to its last character",
    "kopiere sie noch einmal, von „perun1“ bis zum letzten Zeichen",
  ],
  ["{text} is no host: {reason}", "{text} ist kein Ort im Netz: {reason}"],
  [
    "write a name or an IP address, and a port if it is not 443: host:8443",
    "schreib einen Namen oder eine IP-Adresse, und den Port, wenn er nicht 443 ist: host:8443",
  ],
  ["these words are no phrase: {reason}", "diese Wörter gehören nicht zusammen: {reason}"],
  [
    "type the twelve words in their order, as they were shown",
    "schreib die zwölf Wörter in ihrer Reihenfolge, wie sie gezeigt wurden",
  ],
  [
    "this browser holds the store of another phrase",
    "in diesem Browser liegt der Speicher anderer Wörter",
  ],
  [
    "type the words that were shown here, or use another browser profile",
    "nimm die Wörter, die hier gezeigt wurden, oder ein anderes Profil des Browsers",
  ],
  ["{place} shows nothing of store {store} now", "{place} zeigt jetzt nichts vom Speicher {store}"],
  ["look again, or at another hub", "sieh noch einmal nach, oder bei einem anderen Hub"],
  [
    "the money of this store belongs to account {wanted}",
    "das Geld dieses Speichers gehört dem Konto {wanted}",
  ],
  [
    "go back, choose the wallet that has that account, and type the words",
    "geh zurück, wähl die Wallet mit diesem Konto, und schreib die Wörter",
  ],
  [
    "{found} addresses of nodes of the chain, not one or two",
    "{found} Adressen von Knoten der Chain, nicht eine oder zwei",
  ],
  [
    "give one, or two with a space between them, which are compared then",
    "nenne eine, oder zwei, die dann verglichen werden",
  ],
  ["instance refused: {why}", "abgelehnt: {why}"],
  [
    "a lock is below dust: enforcing it may cost {amount}",
    "der Betrag ist zu klein: ihn durchzusetzen kann {amount} kosten",
  ],
  [
    "nothing was paid; try another amount, another hub, or open a channel with the payee",
    "nichts wurde bezahlt; versuch einen anderen Betrag oder Hub, oder öffne einen Kanal mit dem Empfänger",
  ],
  ["agreeing on a machine", "einen Weg vereinbaren"],
  ["channel refused: {why}", "Kanal abgelehnt: {why}"],
  // What a hub says of itself, or does not.
  ["no card from {host}: {reason}", "keine Karte von {host}: {reason}"],
  [
    "check the address, and whether the node is running",
    "prüfe die Adresse, und ob der Knoten läuft",
  ],
  ["no card: {reason}", "keine Karte: {reason}"],
  ["is this the address of a Perun node?", "ist das die Adresse eines Knotens von Perun?"],
  [
    "the card is not signed by {node}, which it names",
    "die Karte ist nicht von {node} unterschrieben, den sie nennt",
  ],
  [
    "somebody has altered it on the way; do not go on",
    "jemand hat sie unterwegs verändert; hör hier auf",
  ],
  ["the card is by {found}, not by {expected}", "die Karte ist von {found}, nicht von {expected}"],
  [
    "the host belongs to somebody else now; ask the one you mean",
    "der Ort gehört jetzt jemand anderem; frag den, den du meinst",
  ],
  [
    "the card has serial {offered}, below {seen}, which was seen before",
    "die Karte hat die Nummer {offered}, eine frühere hatte schon {seen}",
  ],
  [
    "the card ends at {until}, and now is {now}; it may run a day at most",
    "die Karte gilt bis {until}, und jetzt ist {now}; sie darf höchstens einen Tag gelten",
  ],
  ["ask again later, and compare your clock", "frag später noch einmal, und vergleiche deine Uhr"],
  [
    "the node's {what} is {theirs}, ours is {ours}",
    "{what} des Knotens ist {theirs}, bei uns {ours}",
  ],
  [
    "choose a node of your network; send nothing to contracts you do not know",
    "wähl einen Knoten deines Netzes; schick nichts an Verträge, die du nicht kennst",
  ],
  // The chain, and its nodes.
  ["the chain's {what} is {found}, not {wanted}", "{what} der Chain ist {found}, nicht {wanted}"],
  [
    "give the address of a node of the right chain",
    "nenne die Adresse eines Knotens der richtigen Chain",
  ],
  ["no answer from the node: {reason}", "keine Antwort vom Knoten der Chain: {reason}"],
  [
    "check its address, and whether it runs; if a transaction was under way, look for it by its hash or nonce before sending another",
    "prüfe seine Adresse, und ob er läuft",
  ],
  [
    "no sense in the node's answer: {reason}",
    "die Antwort des Knotens ergibt keinen Sinn: {reason}",
  ],
  ["the node refused: {reason}", "der Knoten hat abgelehnt: {reason}"],
  ["the node cannot answer now: {reason}", "der Knoten kann jetzt nicht antworten: {reason}"],
  ["the node contradicts itself: {reason}", "der Knoten widerspricht sich: {reason}"],
  [
    "it is asked again; if this stays, use another node",
    "er wird wieder gefragt; bleibt es so, nimm einen anderen Knoten",
  ],
  [
    "it is asked again; if this stays, ask another node",
    "er wird wieder gefragt; bleibt es so, frag einen anderen Knoten",
  ],
  ["nobody answers", "niemand antwortet"],
  [
    "two nodes have different blocks {number}",
    "zwei Knoten nennen verschiedene Blöcke mit der Nummer {number}",
  ],
  ["two nodes say different things of {what}", "zwei Knoten sagen Verschiedenes über {what}"],
  [
    "{name} expected at {address}, found {found}",
    "{name} sollte bei {address} liegen; dort liegt {found}",
  ],
  ["the chain is not seen: {why}", "die Chain ist nicht zu sehen: {why}"],
  [
    "our view of the chain is too old: by our clock its newest block is {seconds} s old",
    "unser Bild der Chain ist zu alt: nach unserer Uhr ist ihr neuester Block {seconds} s alt",
  ],
  [
    "our view of the chain is too old: no newer block comes",
    "unser Bild der Chain ist zu alt: kein neuer Block kommt",
  ],
  [
    "the newest block is {seconds} s ahead of our clock: one of the two is wrong",
    "der neueste Block ist unserer Uhr {seconds} s voraus: eins von beiden stimmt nicht",
  ],
  [
    "nothing is paid or accepted: check the RPC endpoint, and this device's clock",
    "nichts wird bezahlt oder angenommen: prüfe den Knoten der Chain und die Uhr dieses Geräts",
  ],
  // What is wrong with a channel.
  [
    "the channel with {name} is disputed until {deadline}",
    "der Kanal mit {name} ist im Streit bis {deadline}",
  ],
  [
    "stay online until then: the newest state is being brought to the chain",
    "bleib bis dahin online: der neueste Zustand wird auf die Chain gebracht",
  ],
  [
    "{name} has not answered a proposal; the worst of both counts until then",
    "{name} hat auf einen Vorschlag nicht geantwortet; bis dahin zählt das Schlechtere von beidem",
  ],
  [
    "wait for it, or leave the channel through the chain",
    "warte darauf, oder verlass den Kanal über die Chain",
  ],
  [
    "this store was restored or copied: nothing new is signed with it",
    "dieser Speicher wurde wiederhergestellt oder kopiert: er unterschreibt nichts Neues",
  ],
  [
    "leave or close the channels, then begin anew with a fresh store",
    "hol die Kanäle heraus, dann fang mit einem neuen Speicher an",
  ],
  [
    "what was brought back goes to the chain alone: leave",
    "was zurückgeholt wurde, geht nur über die Chain: Verlassen",
  ],
  ["the channel has ended", "der Kanal ist zu Ende"],
  ["the channel is in dispute", "der Kanal ist im Streit"],
  ["we are leaving through the chain", "wir gehen über die Chain"],
  ["a Close that we signed is alive", "eine Schließung, die wir unterschrieben haben, gilt noch"],
  ["the channel is not agreed on", "der Kanal ist nicht vereinbart"],
  [
    "the chain has not told yet how the channel stands",
    "die Chain hat noch nicht gesagt, wie der Kanal steht",
  ],
  [
    "the chain has not told yet how your channels stand",
    "die Chain hat noch nicht gesagt, wie deine Kanäle stehen",
  ],
  // Why a payment waits, or fails.
  ["waiting for others", "wartet auf andere"],
  ["money", "Geld"],
  ["a channel", "ein Kanal"],
  [
    "the channel with {name} has {free} free, and {locked} locked towards others, not {wanted}",
    "im Kanal mit {name} sind {free} frei und {locked} für andere gebunden, nicht {wanted}",
  ],
  [
    "the channel with {name} has {free} free, not {wanted}",
    "im Kanal mit {name} sind {free} frei, nicht {wanted}",
  ],
  ["top it up, or pay less", "füll ihn auf, oder zahle weniger"],
  ["you have no channel in this asset", "du hast dafür keinen Kanal"],
  [
    "open one with the payee, or with a hub of both",
    "öffne einen mit dem Empfänger, oder mit einem Hub von beiden",
  ],
  ["your channel has no final deposit yet", "die Einlage deines Kanals ist noch nicht endgültig"],
  ["wait some blocks, then try again", "warte ein paar Blöcke, dann versuch es wieder"],
  ["your channels ({names}) have ended", "deine Kanäle ({names}) sind zu Ende"],
  ["open a new one", "öffne einen neuen"],
  [
    "your channels are being closed, or in dispute, or not seen on the chain yet",
    "deine Kanäle werden geschlossen, sind im Streit, oder auf der Chain noch nicht zu sehen",
  ],
  [
    "look at `channels`; open a new one, or wait for the chain",
    "sieh unter Kanäle nach; öffne einen neuen, oder warte auf die Chain",
  ],
  [
    "the payee has not said that its side is ready",
    "der Empfänger hat noch nicht gesagt, dass seine Seite bereit ist",
  ],
  [
    "{payee} has not said yet that its channel over {hub} is ready",
    "{payee} hat noch nicht gesagt, dass der Kanal über {hub} bereit ist",
  ],
  ["{payee} has not answered over {hub} yet", "{payee} hat über {hub} noch nicht geantwortet"],
  ["{payee} has not answered yet", "{payee} hat noch nicht geantwortet"],
  [
    "{hub} has not signed the machine to {payee} yet",
    "{hub} hat den Weg zu {payee} noch nicht unterschrieben",
  ],
  ["no way was found in time", "in der Zeit fand sich kein Weg"],
  ["{name} has not said that it is ready", "{name} hat noch nicht gesagt, dass alles bereit ist"],
  [
    "{name} has not said that it has the last ticks",
    "{name} hat die letzten Ticks noch nicht bestätigt",
  ],
  ["nothing was paid; try again later", "nichts wurde bezahlt; versuch es später wieder"],
  [
    "nothing was paid: it is offline, or talks only to nodes that it knows; pay a request of its, which lets you in, or have it add you: perun contacts add NAME {us}",
    "nichts wurde bezahlt: er ist nicht da, oder spricht nur mit Bekannten; zahle eine Anforderung von ihm, die lässt dich ein, oder lass dich als Kontakt aufnehmen: {us}",
  ],
  // What is being done with a channel.
  ["open: {text}", "Öffnen: {text}"],
  ["close: {text}", "Schließen: {text}"],
  ["leave: {text}", "Verlassen: {text}"],
  ["topUp: {text}", "Auffüllen: {text}"],
  ["withdraw: {text}", "Abheben: {text}"],
  [
    "{name} has not signed it in time, and no money has moved",
    "{name} hat nicht rechtzeitig unterschrieben, und kein Geld ist geflossen",
  ],
  ["{name} is asked to sign", "{name} soll unterschreiben"],
  ["{name} is asked", "{name} wird gefragt"],
  [
    "{name} signs it once its share's Open has lapsed, at {time} UTC",
    "{name} unterschreibt, sobald die Vereinbarung über seinen Anteil verfallen ist, um {time} UTC",
  ],
  [
    "{count} machines or locks are being taken out; {name} must answer",
    "{count} Teile werden herausgenommen; {name} muss antworten",
  ],
  [
    "both have signed, the transaction is on its way",
    "beide haben unterschrieben, die Transaktion ist unterwegs",
  ],
  [
    "the peer has agreed; the transaction is on its way",
    "die Gegenseite ist einverstanden; die Transaktion ist unterwegs",
  ],
  [
    "the transaction is on its way; the money counts {when}",
    "die Transaktion ist unterwegs; das Geld zählt, {when}",
  ],
  [
    "when a final block shows it: about {blocks} blocks or {time} after it is mined (final is block {final}, the newest {newest})",
    "wenn ein endgültiger Block es zeigt: etwa {blocks} Blöcke oder {time}, nachdem sie in einem steht (endgültig ist Block {final}, der neueste {newest})",
  ],
  [
    "when a final block shows it; the chain is not seen yet",
    "wenn ein endgültiger Block es zeigt; die Chain ist noch nicht zu sehen",
  ],
  ["{count} seconds", "{count} Sekunden"],
  ["{count} minutes", "{count} Minuten"],
  [
    "the newest state goes to the chain; it is decided {seconds} s later",
    "der neueste Stand geht zur Chain; {seconds} s später ist entschieden",
  ],
  [
    "the dispute ends at {deadline}; then the chain pays",
    "der Streit endet um {deadline}; dann zahlt die Chain",
  ],
  ["the chain decides it now", "jetzt entscheidet die Chain"],
  ["a final block shows the money: it counts", "ein endgültiger Block zeigt das Geld: es zählt"],
  ["a final block shows the money", "ein endgültiger Block zeigt das Geld"],
  [
    "a final block shows the money in your account",
    "ein endgültiger Block zeigt das Geld in deinem Konto",
  ],
  ["the channel has ended, its money is paid", "der Kanal ist zu Ende, sein Geld ist ausgezahlt"],
  [
    "the transaction came too late, and no money has moved; open it again",
    "die Transaktion kam zu spät, und kein Geld ist geflossen; öffne ihn noch einmal",
  ],
  [
    "the transaction came too late, and no money has moved; ask for it again",
    "die Transaktion kam zu spät, und kein Geld ist geflossen; versuch es noch einmal",
  ],
  // What we must be here for.
  ["to answer the dispute with a newer state", "um im Streit mit einem neueren Stand zu antworten"],
  [
    "in case an old state is brought to the chain from now on",
    "falls von jetzt an ein alter Stand zur Chain gebracht wird",
  ],
  ["to answer what was submitted", "um auf das Eingereichte zu antworten"],
  ["to cash in what you hold", "um einzulösen, was du hast"],
  // What others offer.
  ["{name} offers a channel", "{name} bietet einen Kanal an"],
  ["{name} proposes to take {amount} from you", "{name} schlägt vor, dir {amount} abzunehmen"],
  ["{name} invites you to {what} for {amount}", "{name} lädt dich ein zu {what} um {amount}"],
];
