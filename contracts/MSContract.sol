// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMSContract} from "./interfaces/IMSContract.sol";
import {INanocontract} from "./interfaces/INanocontract.sol";
import {LibSignatures} from "./LibSignatures.sol";
import {Accounting} from "./libraries/Accounting.sol";
import {AssetTransfer} from "./libraries/AssetTransfer.sol";
import {ChannelHash} from "./libraries/ChannelHash.sol";
import {ChannelTerms} from "./libraries/ChannelTerms.sol";
import {GasAllowance} from "./libraries/GasAllowance.sol";
import {NanoList} from "./libraries/NanoList.sol";
import {Channel, Nano, Settlement} from "./types/ChannelTypes.sol";

/// @title MSContract
/// @notice See `IMSContract`; the protocol is docs/protocol.md, section 3.
contract MSContract is IMSContract, ReentrancyGuardTransient {
    using Accounting for uint256;
    using ChannelTerms for ChannelTerms.View;
    using NanoList for NanoList.Block;
    using NanoList for NanoList.Item;
    using TransientSlot for *;

    /// @dev Both words are zero before and after a channel's life; layouts in `Accounting`.
    struct Slots {
        uint256 funds;
        uint256 dispute;
    }

    uint256 private constant MOST_NANOS = 64;

    /// @inheritdoc IMSContract
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun MSContract");

    mapping(address asset => mapping(address account => uint256)) private _credits;

    /// @dev The guard, looked at but not taken: for functions that call nobody, or take it where they do.
    modifier notEntered() {
        if (_reentrancyGuardEntered()) revert ReentrancyGuardReentrantCall();
        _;
    }

    /// @dev Takes the guard where others are called, after `notEntered` has looked at it.
    modifier entered() {
        _reentrancyGuardStorageSlot().asBoolean().tstore(true);
        _;
        _reentrancyGuardStorageSlot().asBoolean().tstore(false);
    }

    // ------------------------------------------------------------------------------------------ money in

    /// @inheritdoc IMSContract
    function open(Channel calldata channel, uint112 amount, uint40 validUntil) external payable notEntered {
        (bytes32 id, ChannelTerms.View terms) = ChannelTerms.read(DOMAIN_SEPARATOR, channel);
        bool toBob = msg.sender != terms.alice();
        if (toBob && msg.sender != terms.bob()) revert NotAParty(id, msg.sender);
        if (block.timestamp > validUntil) revert TooLate(validUntil, block.timestamp);
        terms.logOpened(Opened.selector, id);
        _deposit(terms.asset(), id, toBob, _pull(terms.asset(), amount));
    }

    /// @inheritdoc IMSContract
    function openBoth(
        Channel calldata channel,
        uint112 aliceAmount,
        uint112 bobAmount,
        uint40 validUntil,
        bytes calldata signature
    ) external payable notEntered {
        (bytes32 id, ChannelTerms.View terms) = ChannelTerms.read(DOMAIN_SEPARATOR, channel);
        bool byBob = msg.sender != terms.alice();
        if (byBob && msg.sender != terms.bob()) revert NotAParty(id, msg.sender);
        if (block.timestamp > validUntil) revert TooLate(validUntil, block.timestamp);
        if (validUntil > block.timestamp + terms.challenge()) {
            revert ValidUntilTooFar(validUntil, block.timestamp + terms.challenge());
        }
        address drawn = byBob ? terms.alice() : terms.bob();
        _requireSigner(
            drawn,
            ChannelHash.openDigest(DOMAIN_SEPARATOR, id, aliceAmount, bobAmount, validUntil),
            signature
        );

        uint256 share = byBob ? bobAmount : aliceAmount;
        uint256 arrived = _pull(terms.asset(), share);
        if (arrived < share) revert ShareTooSmall(arrived, share);

        Slots storage slots = _slots(terms.asset(), id);
        uint256 funds = slots.funds;
        if (funds & Accounting.DISPUTED != 0) revert InDispute(id);
        if (funds & Accounting.DRAWN != 0) revert AlreadyDrawn(id);
        _takeCredit(terms.asset(), drawn, byBob ? aliceAmount : bobAmount);

        terms.logOpened(Opened.selector, id);
        funds = (funds | Accounting.DRAWN).raise(0, byBob ? aliceAmount : arrived);
        funds = funds.raise(Accounting.BOB, byBob ? arrived : bobAmount);
        slots.funds = funds;
        _announce(terms.asset(), id, funds);
    }

    /// @inheritdoc IMSContract
    function deposit(
        address asset,
        bytes32 id,
        bool toBob,
        uint112 amount,
        uint40 validUntil
    ) external payable notEntered {
        if (block.timestamp > validUntil) revert TooLate(validUntil, block.timestamp);
        _deposit(asset, id, toBob, _pull(asset, amount));
    }

    /// @inheritdoc IMSContract
    function fund(address asset, address account, uint256 amount) external payable notEntered {
        if (account == address(0)) revert ZeroAddress();
        _giveCredit(asset, account, _pull(asset, amount));
    }

    // ------------------------------------------------------------------------------------------ money out

    /// @inheritdoc IMSContract
    function close(
        Channel calldata channel,
        int112 net,
        uint40 validUntil,
        uint8 toCredit,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) external nonReentrant {
        (bytes32 id, ChannelTerms.View terms) = ChannelTerms.read(DOMAIN_SEPARATOR, channel);
        Slots storage slots = _slots(terms.asset(), id);
        uint256 funds = slots.funds;
        if (funds == 0) revert EmptyChannel(id);
        if (block.timestamp > validUntil) revert TooLate(validUntil, block.timestamp);
        if (funds & Accounting.DISPUTED != 0) {
            uint256 deadline = slots.dispute.deadlineOf();
            if (block.timestamp > deadline) revert TooLate(deadline, block.timestamp);
            slots.dispute = 0;
        }
        _requireBoth(
            terms,
            ChannelHash.closeDigest(DOMAIN_SEPARATOR, id, net, validUntil, toCredit),
            signatureAlice,
            signatureBob
        );
        (uint256 alicePaid, uint256 bobPaid) = _freeMoney(id, funds, net, 0, 0);
        slots.funds = 0;
        emit Closed(id, alicePaid, bobPaid);

        _payOut(terms.asset(), terms.alice(), alicePaid, toCredit & 1 != 0);
        _payOut(terms.asset(), terms.bob(), bobPaid, toCredit & 2 != 0);
    }

    /// @inheritdoc IMSContract
    function withdraw(
        Channel calldata channel,
        uint32 index,
        uint112 aliceAmount,
        uint112 bobAmount,
        uint40 validUntil,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) external nonReentrant {
        (bytes32 id, ChannelTerms.View terms) = ChannelTerms.read(DOMAIN_SEPARATOR, channel);
        Slots storage slots = _slots(terms.asset(), id);
        uint256 funds = slots.funds;
        if (funds & Accounting.DISPUTED != 0) revert InDispute(id);
        if (block.timestamp > validUntil) revert TooLate(validUntil, block.timestamp);
        // One below the limit, so that the count never runs over into the mark beside it.
        if (index != funds.withdrawals() || index == Accounting.WITHDRAWALS_LIMIT) {
            revert WrongIndex(index, funds.withdrawals());
        }
        _requireBoth(
            terms,
            ChannelHash.withdrawDigest(DOMAIN_SEPARATOR, id, index, aliceAmount, bobAmount, validUntil),
            signatureAlice,
            signatureBob
        );
        (int256 alice, int256 bob) = funds.sides();
        unchecked {
            // A side and an amount have at most 112 bits.
            alice -= int256(uint256(aliceAmount));
            bob -= int256(uint256(bobAmount));
            // A side stays above -2**111: it is not below minus the other one, which is less than 2**111.
            if (alice + bob < 0) revert Insolvent(id, alice, bob);
        }
        slots.funds = (funds + Accounting.ONE_WITHDRAWAL).withSides(uint256(alice), uint256(bob));
        emit Withdrawn(id, index, aliceAmount, bobAmount);

        _payOut(terms.asset(), terms.alice(), aliceAmount, false);
        _payOut(terms.asset(), terms.bob(), bobAmount, false);
    }

    /// @inheritdoc IMSContract
    function claim(address asset, uint256 amount, address to) external nonReentrant {
        if (to == address(0)) revert ZeroAddress();
        _takeCredit(asset, msg.sender, amount);
        emit Claimed(asset, msg.sender, amount, to);
        if (amount != 0 && !AssetTransfer.pay(asset, to, amount)) revert ClaimFailed(to);
    }

    // ------------------------------------------------------------------------------------------ disputes

    /// @inheritdoc IMSContract
    function register(
        Channel calldata channel,
        uint48 version,
        int112 net,
        Nano[] calldata nanos,
        bytes calldata signatureAlice,
        bytes calldata signatureBob,
        bytes[] calldata evidence
    ) external notEntered {
        (bytes32 id, ChannelTerms.View terms) = ChannelTerms.read(DOMAIN_SEPARATOR, channel);
        Slots storage slots = _slots(terms.asset(), id);
        uint256 funds = slots.funds;
        uint256 deadline;
        bool newer = true;
        if (funds & Accounting.DISPUTED != 0) {
            uint256 known = slots.dispute;
            deadline = known.deadlineOf();
            if (block.timestamp > deadline) revert TooLate(deadline, block.timestamp);
            newer = version > known.versionOf();
        } else {
            if (
                msg.sender != terms.alice() &&
                msg.sender != terms.bob() &&
                msg.sender != terms.aliceKey() &&
                msg.sender != terms.bobKey()
            ) revert NotAParty(id, msg.sender);
            if (funds & Accounting.SIDES_MASK == 0) revert EmptyChannel(id);
            unchecked {
                deadline = block.timestamp + terms.challenge(); // the clock and 32 bits
            }
            if (deadline > Accounting.DEADLINE_LIMIT) revert DeadlineTooFar(deadline);
            slots.funds = funds | Accounting.DISPUTED;
        }
        if (newer) {
            NanoList.Block list = NanoList.copy(nanos);
            bytes32 nanosHash = list.hash();
            bytes32 stateHash;
            if (version == 0) {
                if (net != 0 || nanos.length != 0) revert VersionZeroNotEmpty(net, nanos.length);
                stateHash = ChannelHash.stateHash(id, version, net, nanosHash);
            } else {
                bytes32 digest;
                (digest, stateHash) = ChannelHash.state(DOMAIN_SEPARATOR, id, version, net, nanosHash);
                _requireBoth(terms, digest, signatureAlice, signatureBob);
            }
            _requireEnforceable(id, funds, net, list);
            slots.dispute = Accounting.packDispute(deadline, version, uint256(stateHash) & Accounting.HASH_MASK);
            list.logRegistered(Registered.selector, id, version, net, deadline);
        }
        if (evidence.length != 0) _passOn(id, nanos, evidence);
    }

    /// @inheritdoc IMSContract
    function settle(Channel calldata channel, int112 net, Nano[] calldata nanos) external nonReentrant {
        (bytes32 id, ChannelTerms.View terms) = ChannelTerms.read(DOMAIN_SEPARATOR, channel);
        Slots storage slots = _slots(terms.asset(), id);
        (uint256 funds, uint256 known, NanoList.Block list, uint256 given) = _lookUp(slots, id, net, nanos);
        if (funds & Accounting.DISPUTED == 0) revert NotInDispute(id);
        if (block.timestamp <= known.deadlineOf()) {
            revert DisputeStillOpen(id, known.deadlineOf(), block.timestamp);
        }
        if (given != known & Accounting.HASH_MASK) revert StateMismatch(id, given, known & Accounting.HASH_MASK);
        _settle(terms, id, slots, funds, known, net, list);
    }

    /// @inheritdoc IMSContract
    function settleMany(Settlement[] calldata settlements) external nonReentrant {
        for (uint256 i; i < settlements.length; ++i) {
            Settlement calldata item = settlements[i];
            (bytes32 id, ChannelTerms.View terms) = ChannelTerms.read(DOMAIN_SEPARATOR, item.channel);
            Slots storage slots = _slots(terms.asset(), id);
            (uint256 funds, uint256 known, NanoList.Block list, uint256 given) = _lookUp(
                slots,
                id,
                item.net,
                item.nanos
            );
            if (
                funds & Accounting.DISPUTED == 0 ||
                block.timestamp <= known.deadlineOf() ||
                given != known & Accounting.HASH_MASK
            ) {
                emit SettleSkipped(id);
            } else {
                _settle(terms, id, slots, funds, known, item.net, list);
            }
        }
    }

    // ------------------------------------------------------------------------------------------ views

    /// @inheritdoc IMSContract
    function channelId(Channel calldata channel) external view returns (bytes32 id) {
        (id, ) = ChannelTerms.read(DOMAIN_SEPARATOR, channel);
    }

    /// @inheritdoc IMSContract
    function holdings(
        address asset,
        bytes32 id
    ) external view returns (int112 alice, int112 bob, uint256 withdrawals, bool drawn, bool disputed) {
        uint256 funds = _slots(asset, id).funds;
        (int256 a, int256 b) = funds.sides();
        return (
            int112(a),
            int112(b),
            funds.withdrawals(),
            funds & Accounting.DRAWN != 0,
            funds & Accounting.DISPUTED != 0
        );
    }

    /// @inheritdoc IMSContract
    function dispute(
        address asset,
        bytes32 id
    ) external view returns (uint48 version, uint40 deadline, bool settling, uint256 stateHash) {
        uint256 known = _slots(asset, id).dispute;
        return (
            uint48(known.versionOf()),
            uint40(known.deadlineOf()),
            known & Accounting.SETTLING != 0,
            known & Accounting.HASH_MASK
        );
    }

    /// @inheritdoc IMSContract
    function credit(address asset, address account) external view returns (uint256) {
        return _credits[asset][account];
    }

    // ------------------------------------------------------------------------------------------ inside

    /// @dev Where a channel's two words are. Assembly replaces a mapping of mappings, which hashes twice. The hash is
    /// of 52 bytes, those of mappings are of 64: they cannot meet.
    function _slots(address asset, bytes32 id) private pure returns (Slots storage slots) {
        assembly ("memory-safe") {
            mstore(0, asset)
            mstore(32, id)
            slots.slot := keccak256(12, 52)
        }
    }

    /// @dev Takes `amount` from the caller and says how much arrived. ETH comes without a call, so that it is enough
    /// to have checked the guard; a token is called under it, and storage is read only afterwards.
    function _pull(address asset, uint256 amount) private returns (uint256) {
        if (asset != address(0)) return _pullToken(asset, amount);
        if (msg.value != amount) revert WrongValue(amount, msg.value);
        return amount;
    }

    function _pullToken(address token, uint256 amount) private entered returns (uint256) {
        if (msg.value != 0) revert WrongValue(0, msg.value);
        return AssetTransfer.pull(token, amount);
    }

    function _deposit(address asset, bytes32 id, bool toBob, uint256 arrived) private {
        Slots storage slots = _slots(asset, id);
        uint256 funds = slots.funds;
        if (funds & Accounting.DISPUTED != 0) revert InDispute(id);
        funds = funds.raise(toBob ? Accounting.BOB : 0, arrived);
        slots.funds = funds;
        _announce(asset, id, funds);
    }

    function _announce(address asset, bytes32 id, uint256 funds) private {
        (int256 alice, int256 bob) = funds.sides();
        emit Deposited(id, asset, int112(alice), int112(bob));
    }

    /// @dev Refuses a state that could not be settled: too long, badly ordered, locking too much, insolvent.
    function _requireEnforceable(bytes32 id, uint256 funds, int256 net, NanoList.Block list) private pure {
        uint256 count = list.length();
        uint256 aliceLocked;
        uint256 bobLocked;
        if (count != 0) {
            if (count > MOST_NANOS) revert TooManyNanos(count);
            bytes32 lastId;
            address lastApp;
            for (uint256 i; i < count; ++i) {
                NanoList.Item nano = list.itemAt(i);
                nano.check();
                bytes32 nanoId = nano.id();
                address app = nano.app();
                if (i != 0 && (nanoId < lastId || (nanoId == lastId && app <= lastApp))) revert NanosNotAscending(i);
                (lastId, lastApp) = (nanoId, app);
                unchecked {
                    aliceLocked += nano.aliceLock(); // at most 64 of 112 bits
                    bobLocked += nano.bobLock();
                }
            }
            // What stays locked becomes the holdings.
            if ((aliceLocked | bobLocked) > Accounting.MOST) {
                revert AmountTooLarge(0, aliceLocked > Accounting.MOST ? aliceLocked : bobLocked);
            }
        }
        _freeMoney(id, funds, net, aliceLocked, bobLocked);
    }

    /// @dev Both parties' free money; reverts if one is negative.
    function _freeMoney(
        bytes32 id,
        uint256 funds,
        int256 net,
        uint256 aliceLocked,
        uint256 bobLocked
    ) private pure returns (uint256, uint256) {
        (int256 alice, int256 bob) = funds.sides();
        unchecked {
            // Nothing here has more than 118 bits: sides and net have 112, sums over 64 locks or shifts six more.
            alice -= net + int256(aliceLocked);
            bob += net - int256(bobLocked);
        }
        if (alice | bob < 0) revert Insolvent(id, alice, bob); // the sign of either
        return (uint256(alice), uint256(bob));
    }

    /// @dev Everything about a channel in dispute, and the given state as a list and as the hash to compare.
    function _lookUp(
        Slots storage slots,
        bytes32 id,
        int256 net,
        Nano[] calldata nanos
    ) private view returns (uint256 funds, uint256 known, NanoList.Block list, uint256 given) {
        funds = slots.funds;
        known = slots.dispute;
        list = NanoList.copy(nanos);
        given = _stateHash(id, known.versionOf(), net, list.hash());
    }

    /// @dev The list is the registered one, hence checked. Asking outcomes comes before the change of storage; it is
    /// static, with an allowance, and under the guard.
    function _settle(
        ChannelTerms.View terms,
        bytes32 id,
        Slots storage slots,
        uint256 funds,
        uint256 known,
        int256 net,
        NanoList.Block list
    ) private {
        uint256 count = list.length();
        uint256 left; // the first items of the list are those that remain
        uint256 aliceLocked;
        uint256 bobLocked;
        for (uint256 i; i < count; ++i) {
            NanoList.Item nano = list.itemAt(i);
            (bool resolved, int256 shift) = _resolve(nano);
            unchecked {
                // At most 64 terms of 113 bits, as `register` has seen to.
                if (resolved) {
                    net += shift;
                } else {
                    aliceLocked += nano.aliceLock();
                    bobLocked += nano.bobLock();
                    list.put(left++, nano);
                }
            }
        }
        if (known & Accounting.SETTLING != 0 && left == count) return;

        (uint256 alicePaid, uint256 bobPaid) = _freeMoney(id, funds, net, aliceLocked, bobLocked);
        list.shorten(left);
        if (left == 0) {
            slots.funds = 0;
            slots.dispute = 0;
        } else {
            slots.funds = funds.withSides(aliceLocked, bobLocked);
            slots.dispute =
                (known & ~Accounting.HASH_MASK) |
                Accounting.SETTLING |
                _stateHash(id, known.versionOf(), 0, list.hash());
        }
        list.logSettled(Settled.selector, id, alicePaid, bobPaid);

        _payOut(terms.asset(), terms.alice(), alicePaid, false);
        _payOut(terms.asset(), terms.bob(), bobPaid, false);
    }

    /// @dev What the dispute word keeps of a state.
    function _stateHash(bytes32 id, uint256 version, int256 net, bytes32 nanos) private pure returns (uint256) {
        return uint256(ChannelHash.stateHash(id, version, net, nanos)) & Accounting.HASH_MASK;
    }

    /// @dev Whether a nano's locks are free, and what moves from the channel's Alice to its Bob.
    function _resolve(NanoList.Item nano) private view returns (bool resolved, int256 shift) {
        (resolved, shift) = _outcome(nano.app(), nano.id());
        if (!resolved) return (block.timestamp > nano.expiry(), 0);
        if (nano.swapped()) shift = -shift;
        shift = Accounting.clampToLocks(shift, nano.aliceLock(), nano.bobLock());
    }

    /// @dev Asks a nanocontract. Anything but two well-formed words from a contract counts as not done.
    function _outcome(address app, bytes32 id) private view returns (bool done, int256 shift) {
        bytes4 selector = INanocontract.outcome.selector;
        uint256 allowance = GasAllowance.OUTCOME;
        uint256 gasBefore = gasleft();
        bool answered;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, id)
            answered := staticcall(allowance, app, 0, 36, 0, 64)
            let word := mload(0)
            shift := mload(32)
            answered := and(
                and(answered, gt(returndatasize(), 63)),
                and(and(lt(word, 2), eq(shift, signextend(13, shift))), gt(extcodesize(app), 0))
            )
            done := and(answered, word)
        }
        if (!answered) GasAllowance.requireFull(gasBefore, allowance);
    }

    /// @dev Hands evidence to nanocontracts: always `submit`, never other calldata, since this contract owns tokens.
    function _passOn(bytes32 id, Nano[] calldata nanos, bytes[] calldata evidence) private entered {
        if (evidence.length > nanos.length) revert TooMuchEvidence(evidence.length, nanos.length);
        bytes4 selector = INanocontract.submit.selector;
        uint256 allowance = GasAllowance.SUBMIT;
        for (uint256 i; i < evidence.length; ++i) {
            bytes calldata item = evidence[i];
            if (item.length == 0) continue;
            address app = nanos[i].app;
            uint256 gasBefore;
            bool taken;
            // Assembly replaces `abi.encodeCall(INanocontract.submit, (item))`, which keeps the memory.
            assembly ("memory-safe") {
                let m := mload(0x40)
                let padded := and(add(item.length, 31), not(31))
                mstore(m, selector)
                mstore(add(m, 4), 32)
                mstore(add(m, 36), item.length)
                mstore(add(m, add(padded, 36)), 0)
                calldatacopy(add(m, 68), item.offset, item.length)
                gasBefore := gas()
                taken := and(call(allowance, app, 0, m, add(padded, 68), 0, 0), gt(extcodesize(app), 0))
            }
            if (!taken) {
                GasAllowance.requireFull(gasBefore, allowance);
                emit EvidenceFailed(id, i);
            }
        }
    }

    /// @dev Pays an account, or its credit if told so or if it cannot be paid; a payee can never stop the other.
    function _payOut(address asset, address account, uint256 amount, bool toCredit) private {
        if (amount == 0) return;
        if (!toCredit) {
            if (AssetTransfer.tryPay(asset, account, amount)) return;
        }
        _giveCredit(asset, account, amount);
    }

    /// @dev Credit stops at the greatest number instead of overflowing, which takes a token that lies: its holder's
    /// payout must not revert, since the other party is paid by the same transaction.
    function _giveCredit(address asset, address account, uint256 amount) private {
        uint256 held = _credits[asset][account];
        amount = Math.min(amount, type(uint256).max - held);
        unchecked {
            _credits[asset][account] = held + amount; // the line above
        }
        emit Credited(asset, account, amount);
    }

    function _takeCredit(address asset, address account, uint256 amount) private {
        uint256 held = _credits[asset][account];
        if (held < amount) revert InsufficientCredit(asset, account, held, amount);
        unchecked {
            _credits[asset][account] = held - amount; // checked in the line above
        }
    }

    function _requireBoth(
        ChannelTerms.View terms,
        bytes32 digest,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) private view {
        _requireParty(terms.alice(), terms.aliceKey(), digest, signatureAlice);
        _requireParty(terms.bob(), terms.bobKey(), digest, signatureBob);
    }

    /// @dev A party's own transaction, from account or key, needs no signature of it.
    function _requireParty(address account, address key, bytes32 digest, bytes calldata signature) private view {
        if (signature.length == 0) {
            if (msg.sender == account) return;
            if (msg.sender == key) return;
        }
        _requireSigner(key, digest, signature);
    }

    function _requireSigner(address signer, bytes32 digest, bytes calldata signature) private view {
        address recovered = LibSignatures.signerOf(digest, signature);
        if (!LibSignatures.isSigner(recovered, signer)) revert WrongSigner(signer, recovered);
    }
}
