// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Channel, Nano, Settlement} from "../types/ChannelTypes.sol";

/// @title Custody, agreement and dispute for every basic channel of a chain
/// @notice Amounts are in the asset's smallest unit (wei for ETH) and at most `2**111 - 1`. A time limit includes
/// its last second. Signatures are 65 bytes `r,s,v` or 64 bytes (EIP-2098); where a function takes `signatureAlice`
/// and `signatureBob`, a party whose account or key sends the transaction may leave its own empty.
///
/// Typed data (EIP-712), domain `{name: "Perun MSContract", version: "1", chainId, verifyingContract}`:
/// - `State(bytes32 channel,uint48 version,int112 net,bytes32 nanos)`
/// - `Close(bytes32 channel,int112 net,uint40 validUntil,uint8 toCredit)`
/// - `Withdraw(bytes32 channel,uint32 index,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)`
/// - `Open(bytes32 channel,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)`
///
/// `nanos` in a State is 0 for an empty list, else `keccak256(abi.encode(Nano[]))`.
///
/// @dev What is assumed of tokens, for safety: a token's balances change only by the transfers it reports; the sender
/// loses what it sends and no more (less may arrive); a transfer that reports failure has moved nothing. A token that
/// breaks this harms channels in that token only.
/// For liveness: a token that refuses a payee leaves that payee's money here as credit.
/// What is assumed of nanocontracts: nothing for other money; a broken or malicious one decides or delays what is
/// locked under it, up to the locks and until its `expiry`. After that it counts as it stands when somebody settles,
/// which may be later than it got its code.
/// Forks: the domain is fixed at deployment. On a fork that takes a new chain id every signature counts on both sides.
interface IMSContract {
    // ------------------------------------------------------------------------------------------ events

    /// @notice An account has announced a channel. An advertisement by anybody: check it before trusting it.
    event Opened(bytes32 indexed id, address indexed alice, address indexed bob, Channel channel);

    /// @notice A side of a channel has grown; both sides' holdings after it.
    event Deposited(bytes32 indexed id, address asset, int112 aliceHoldings, int112 bobHoldings);

    /// @notice A co-signed withdrawal was paid from an open channel.
    event Withdrawn(bytes32 indexed id, uint32 index, uint112 aliceAmount, uint112 bobAmount);

    /// @notice A channel has ended by agreement.
    event Closed(bytes32 indexed id, uint256 alicePaid, uint256 bobPaid);

    /// @notice A state was registered in a dispute; a newer one may follow until `deadline` (included).
    event Registered(bytes32 indexed id, uint48 version, int112 net, Nano[] nanos, uint40 deadline);

    /// @notice The nanocontract at `index` of the given list rejected its evidence. Tells the sender about its own
    /// transaction only: anybody can cause it in any dispute, with a list of their own.
    event EvidenceFailed(bytes32 indexed id, uint256 index);

    /// @notice A dispute was decided, wholly or but for the `remaining` nanocontracts.
    event Settled(bytes32 indexed id, uint256 alicePaid, uint256 bobPaid, Nano[] remaining);

    /// @notice An item of a batch was left out because its channel is not, or no longer, in the state it names.
    event SettleSkipped(bytes32 indexed id);

    /// @notice An account's credit has grown by `amount`; less than was paid if it has reached `2**256 - 1`, which
    /// takes a token that lies.
    event Credited(address indexed asset, address indexed account, uint256 amount);

    /// @notice An account has taken `amount` of its credit out, to `to`.
    event Claimed(address indexed asset, address indexed account, uint256 amount, address to);

    // ------------------------------------------------------------------------------------------ errors

    /// @notice The time limit (a `validUntil` or a dispute's deadline) is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice The dispute still waits for newer states until `deadline` (included).
    error DisputeStillOpen(bytes32 id, uint256 deadline, uint256 timestamp);

    /// @notice `validUntil` lies further ahead than the channel's challenge allows.
    error ValidUntilTooFar(uint256 validUntil, uint256 limit);

    /// @notice A dispute opened now would end beyond the 34 bits that store its deadline.
    error DeadlineTooFar(uint256 deadline);

    /// @notice The ETH sent differs from the ETH due (0 for tokens).
    error WrongValue(uint256 due, uint256 sent);

    /// @notice A call failed that may have failed for want of gas; send the transaction with a higher gas limit.
    error NotEnoughGas(uint256 gasBefore, uint256 allowance);

    /// @notice An amount, or the side it would raise, exceeds `2**111 - 1`.
    error AmountTooLarge(int256 side, uint256 amount);

    /// @notice Less than the caller's share of an `openBoth` arrived.
    error ShareTooSmall(uint256 arrived, uint256 share);

    /// @notice The caller stands in no role that may do this.
    error NotAParty(bytes32 id, address caller);

    /// @notice A signature is malformed (`recovered` is zero) or by another key.
    error WrongSigner(address expected, address recovered);

    /// @notice The channel holds nothing.
    error EmptyChannel(bytes32 id);

    /// @notice The channel is in dispute; only `register`, `close` (until the deadline) and `settle` touch it.
    error InDispute(bytes32 id);

    /// @notice The channel is not in dispute.
    error NotInDispute(bytes32 id);

    /// @notice What was given is not the registered state (low 173 bits of the state hash, each).
    error StateMismatch(bytes32 id, uint256 given, uint256 registered);

    /// @notice A party's free money would be negative.
    error Insolvent(bytes32 id, int256 aliceFree, int256 bobFree);

    /// @notice Version 0 means "nothing was ever signed": net 0 and no nanocontracts.
    error VersionZeroNotEmpty(int112 net, uint256 nanos);

    /// @notice A state lists more than 64 nanocontracts.
    error TooManyNanos(uint256 count);

    /// @notice The list is not strictly ascending by (id, app) at `index`.
    error NanosNotAscending(uint256 index);

    /// @notice More pieces of evidence than nanocontracts.
    error TooMuchEvidence(uint256 evidence, uint256 nanos);

    /// @notice This life of the channel was already funded by `openBoth`.
    error AlreadyDrawn(bytes32 id);

    /// @notice A `Withdraw` must carry the count of withdrawals so far.
    error WrongIndex(uint256 given, uint256 expected);

    /// @notice The account's credit is smaller than the amount.
    error InsufficientCredit(address asset, address account, uint256 credit, uint256 amount);

    /// @notice Money would go to the zero address.
    error ZeroAddress();

    /// @notice The receiver refused the ETH that was claimed for it, or is this contract, where it would be nobody's.
    error ClaimFailed(address to);

    // ------------------------------------------------------------------------------------------ money in

    /// @notice Deposits for the caller's side and announces the channel.
    /// @param channel The channel; the caller must be its Alice or Bob.
    /// @param amount Exactly `msg.value` for ETH; pulled from the caller for a token.
    /// @param validUntil Last second at which this may be mined.
    function open(Channel calldata channel, uint112 amount, uint40 validUntil) external payable;

    /// @notice Funds both sides at once: the caller's share comes with the call, the other's out of its credit.
    /// @dev Once per life of a channel. The caller must be Alice or Bob; `signature` is the other *account's*, ECDSA
    /// only, over `Open`. An account without a private key cannot be drawn.
    /// @param validUntil Last second at which this may be mined; at most a challenge ahead.
    function openBoth(
        Channel calldata channel,
        uint112 aliceAmount,
        uint112 bobAmount,
        uint40 validUntil,
        bytes calldata signature
    ) external payable;

    /// @notice Adds to one side of a channel, for anybody: a gift if the side is not the caller's own.
    /// @dev A deposit under a wrong asset or id touches no channel's money and is lost: compute both, never copy.
    /// @param toBob Whether the money is Bob's, else it is Alice's.
    /// @param amount Exactly `msg.value` for ETH; pulled from the caller for a token. What arrives counts.
    /// @param validUntil Last second at which this may be mined.
    function deposit(address asset, bytes32 id, bool toBob, uint112 amount, uint40 validUntil) external payable;

    /// @notice Adds to the credit of an account, for anybody.
    function fund(address asset, address account, uint256 amount) external payable;

    // ------------------------------------------------------------------------------------------ money out

    /// @notice Ends a channel by agreement and pays both.
    /// @dev Both must have signed `Close`, or send this themselves. Possible until a dispute's deadline. The same
    /// `Close` ends the channel again if it is funded again before `validUntil`.
    /// @param net What Alice has paid Bob in total.
    /// @param validUntil Last second at which this may be mined; how far ahead is for the signers to bound.
    /// @param toCredit Bit 0: Alice is paid into her credit; bit 1: Bob into his. Other bits mean nothing.
    function close(
        Channel calldata channel,
        int112 net,
        uint40 validUntil,
        uint8 toCredit,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) external;

    /// @notice Pays out of an open channel by agreement; states keep their meaning, since each side falls by what
    /// it is paid.
    /// @dev A channel that has ended counts from 0 again: one that is funded again pays an old `Withdraw` again.
    /// @param index Count of withdrawals so far.
    /// @param validUntil Last second at which this may be mined; how far ahead is for the signers to bound.
    function withdraw(
        Channel calldata channel,
        uint32 index,
        uint112 aliceAmount,
        uint112 bobAmount,
        uint40 validUntil,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) external;

    /// @notice Takes credit out; only its owner can. Not to this contract, nor to the zero address.
    function claim(address asset, uint256 amount, address to) external;

    // ------------------------------------------------------------------------------------------ disputes

    /// @notice Opens a dispute with a state, or answers one with a newer state, and passes evidence on.
    /// @dev Opening is for Alice, Bob or their keys. Until the deadline, which never moves, anybody may bring a
    /// higher version; one that is not higher changes nothing, is not even checked, and does not revert, so nobody's
    /// transaction can make another's fail. Its evidence is passed on all the same.
    /// With a channel and a list of their own, anybody can make this contract call `submit(bytes)` of any address.
    /// @param evidence `evidence[i]`, unless empty, goes to `nanos[i].app.submit`.
    function register(
        Channel calldata channel,
        uint48 version,
        int112 net,
        Nano[] calldata nanos,
        bytes calldata signatureAlice,
        bytes calldata signatureBob,
        bytes[] calldata evidence
    ) external;

    /// @notice After the deadline: pays free money at once, and what is locked under every nanocontract that is
    /// done or expired. Anybody may call it, again and again until nothing remains.
    /// @param net The registered net; 0 once the channel is settling.
    /// @param nanos The registered list; once the channel is settling, the remaining one.
    function settle(Channel calldata channel, int112 net, Nano[] calldata nanos) external;

    /// @notice `settle` for many channels; items that no longer match are skipped. So is one with net `-2**111`, which
    /// no state can have.
    function settleMany(Settlement[] calldata settlements) external;

    // ------------------------------------------------------------------------------------------ views

    /// @notice The channel's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, channel))`.
    function channelId(Channel calldata channel) external view returns (bytes32);

    /// @notice Deposited minus withdrawn, for each side, and the marks of this life of the channel.
    function holdings(
        address asset,
        bytes32 id
    ) external view returns (int112 alice, int112 bob, uint256 withdrawals, bool drawn, bool disputed);

    /// @notice The dispute of a channel; all zero if there is none. `stateHash` is the low 173 bits of
    /// `keccak256(abi.encode(id, version, net, nanos))`.
    function dispute(
        address asset,
        bytes32 id
    ) external view returns (uint48 version, uint40 deadline, bool settling, uint256 stateHash);

    /// @notice EIP-712 domain separator, fixed at deployment.
    function DOMAIN_SEPARATOR() external view returns (bytes32);

    /// @notice Balance of an account in this contract.
    function credit(address asset, address account) external view returns (uint256);
}
