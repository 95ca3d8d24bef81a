// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRules} from "../interfaces/IRules.sol";
import {ChessBoard, Chessmen} from "../libraries/ChessBoard.sol";

/// @title Chess
/// @notice All of it, decided at every move and without a claim: mate wins the other's whole lock; stalemate, a position
/// that has come three times, fifty moves of each without a pawn's move or a capture, and one in which nobody can mate
/// are draws. So is a game of 300 moves of each, so that a clock can be long enough for every game.
///
/// A move is two bytes: from 6 bits of where it starts (a1 0, b1 1 … h8 63), then 6 where it ends, then 3 what a pawn
/// becomes (2 knight, 3 bishop, 4 rook, 5 queen, else 0), from the lowest; or 0xffff to resign. Castling is the king's move.
/// A position is 37 bytes and twelve for each position since the last move that cannot be taken back: the board (32, see
/// `Chessmen`), 1 for castling and 16 if Bob is white (1), the passed pawn (1), plies without pawn or capture (1),
/// plies (2), hashes (12 each), the newest last. Setup 0: Alice is white, 1: Bob.
contract Chess is IRules {
    using ChessBoard for Chessmen;

    uint256 private constant RESIGN = 0xffff;
    int32 private constant WHOLE = 1e9;
    uint256 private constant HEAD = 37;
    uint256 private constant HASH = 12;
    uint256 private constant MOST_PLIES = 600;
    uint256 private constant QUIET_PLIES = 100;
    uint8 private constant BOB_IS_WHITE = 16;

    /// @dev Beside the chessmen.
    struct Course {
        uint8 bobIsWhite;
        uint256 quiet;
        uint256 plies;
        bytes hashes;
    }

    /// @inheritdoc IRules
    function start(bytes32 setup) external pure returns (bytes memory position, uint8 turn) {
        if (uint256(setup) > 1) revert IllegalMove("unknown setup");
        Chessmen memory men = Chessmen(ChessBoard.START, 0, 15, 0);
        Course memory course = Course(setup == 0 ? 0 : BOB_IS_WHITE, 0, 0, abi.encodePacked(_hash(men)));
        return (_encode(men, course), uint8(1 + uint256(setup)));
    }

    /// @inheritdoc IRules
    function play(
        bytes calldata position,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory next, uint8 nextTurn, int32 result) {
        if (position.length < HEAD || move.length != 2) revert IllegalMove("length");
        uint256 typed = uint16(bytes2(move));
        if (typed == RESIGN) return (position, 0, turn == 1 ? WHOLE : -WHOLE);
        (Chessmen memory men, Course memory course) = _decode(position);
        if ((turn == 1) != ((men.side == 0) == (course.bobIsWhite == 0))) revert IllegalMove("not your turn");
        if (!men.legal(typed & 63, (typed >> 6) & 63, typed >> 12)) revert IllegalMove("no legal move");

        bool over = _make(men, course, typed);
        bool mated = false;
        if (!men.hasMove()) (over, mated) = (true, men.inCheck());
        next = _encode(men, course);
        nextTurn = over ? 0 : 3 - turn;
        if (mated) result = turn == 1 ? -WHOLE : WHOLE; // Alice winning takes Bob's lock
    }

    /// @inheritdoc IRules
    function limits() external pure returns (uint32 moves, uint32 positionBytes, uint32 moveBytes) {
        return (uint32(MOST_PLIES), uint32(HEAD + HASH * (QUIET_PLIES + 1)), 2);
    }

    /// @dev Makes a legal move in `men` and `course`.
    /// @return drawn Whether it is a draw thereby, unless it is mate.
    function _make(Chessmen memory men, Course memory course, uint256 typed) private pure returns (bool drawn) {
        (uint256 from, uint256 to) = (typed & 63, (typed >> 6) & 63);
        bool pawn = ChessBoard.pieceAt(men.board, from) & 7 == ChessBoard.PAWN;
        bool quiet = !pawn && ChessBoard.pieceAt(men.board, to) == 0;
        uint256 castling = men.castling & ~(_corner(from) | _corner(to));

        men.board = men.moved(from, to, typed >> 12);
        course.quiet = quiet ? course.quiet + 1 : 0;
        ++course.plies;
        if (!quiet || castling != men.castling) course.hashes = "";
        men.castling = castling;
        men.side ^= ChessBoard.BLACK;
        men.passed = 0;
        if (pawn && (from > to ? from - to : to - from) == 16 && men.canPass(to)) men.passed = (to & 7) + 1;

        bytes12 hash = _hash(men);
        drawn =
            _times(course.hashes, hash) > 1 ||
            course.quiet >= QUIET_PLIES ||
            course.plies >= MOST_PLIES ||
            ChessBoard.dead(men.board);
        course.hashes = bytes.concat(course.hashes, hash);
    }

    /// @dev What can no longer be castled once something left or came to a square.
    function _corner(uint256 square) private pure returns (uint256) {
        if (square == 4) return 3;
        if (square == 60) return 12;
        if (square == 7) return 1;
        if (square == 0) return 2;
        if (square == 63) return 4;
        return square == 56 ? 8 : 0;
    }

    /// @dev Two positions are the same if the same moves are possible in them.
    function _hash(Chessmen memory men) private pure returns (bytes12) {
        return bytes12(keccak256(abi.encode(men)));
    }

    function _times(bytes memory hashes, bytes12 hash) private pure returns (uint256 count) {
        for (uint256 place = 0; place < hashes.length; place += HASH) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(hashes, 32), place))
            }
            if (bytes12(word) == hash) ++count;
        }
    }

    function _encode(Chessmen memory men, Course memory course) private pure returns (bytes memory) {
        return
            abi.encodePacked(
                men.board,
                uint8(men.castling | course.bobIsWhite),
                uint8(men.passed),
                uint8(course.quiet),
                uint16(course.plies),
                course.hashes
            );
    }

    function _decode(bytes calldata position) private pure returns (Chessmen memory men, Course memory course) {
        uint256 plies = uint16(bytes2(position[35:]));
        uint8 flags = uint8(position[32]);
        men = Chessmen(
            uint256(bytes32(position)),
            plies & 1 == 0 ? 0 : ChessBoard.BLACK,
            flags & 15,
            uint8(position[33])
        );
        course = Course(flags & BOB_IS_WHITE, uint8(position[34]), plies, position[HEAD:]);
    }
}
