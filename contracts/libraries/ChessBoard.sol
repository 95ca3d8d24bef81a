// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A position of chess without its history.
/// @param board A piece in four bits for each square, a1 lowest, then b1 … h8: 1 pawn, 2 knight, 3 bishop, 4 rook,
/// 5 queen, 6 king, and 8 more for black ones.
/// @param side Who is to move: 0 white, 8 black.
/// @param castling What is left: 1 white to the king's side, 2 to the queen's, 4 and 8 the same for black.
/// @param passed 1 + file of a pawn that may be taken in passing now, or 0.
struct Chessmen {
    uint256 board;
    uint256 side;
    uint256 castling;
    uint256 passed;
}

/// @title How chessmen move
/// @dev Every number is a square below 64, a file or rank (below 8, or wrapped far above it when it leaves the board), or
/// a piece: nothing overflows that is used, so arithmetic is unchecked all over.
library ChessBoard {
    uint256 internal constant PAWN = 1;
    uint256 internal constant KNIGHT = 2;
    uint256 internal constant BISHOP = 3;
    uint256 internal constant ROOK = 4;
    uint256 internal constant QUEEN = 5;
    uint256 internal constant KING = 6;
    uint256 internal constant BLACK = 8;

    uint256 internal constant START = 0xcabedbac99999999_0000000000000000_0000000000000000_1111111142365324;

    uint256 private constant ONES = 0x1111111111111111111111111111111111111111111111111111111111111111;

    /// @dev The lowest bit of each light square.
    uint256 private constant LIGHT = 0x0101010110101010010101011010101001010101101010100101010110101010;

    /// @dev Eight steps of a king, then eight of a knight; of each 1 + file and 1 + rank, or 2 + them. Straight ones first.
    uint256 private constant STEPS = 0x1210210122200200;
    uint256 private constant JUMPS = 0x3443413010010314;

    /// @dev The piece on a square, 0 if there is none.
    function pieceAt(uint256 board, uint256 square) internal pure returns (uint256) {
        unchecked {
            return (board >> (square << 2)) & 15;
        }
    }

    /// @dev What the move makes; `to` may be taken. Castling moves the rook, and a pawn takes in passing.
    function moved(
        Chessmen memory men,
        uint256 from,
        uint256 to,
        uint256 promoted
    ) internal pure returns (uint256 board) {
        unchecked {
            board = men.board;
            uint256 piece = pieceAt(board, from);
            board = _put(_put(board, from, 0), to, promoted == 0 ? piece : promoted | men.side);
            if (piece & 7 == KING) {
                if (to == from + 2) board = _put(_put(board, from + 3, 0), from + 1, ROOK | men.side);
                if (from == to + 2) board = _put(_put(board, from - 4, 0), from - 1, ROOK | men.side);
            } else if (piece & 7 == PAWN && (from ^ to) & 7 != 0 && pieceAt(men.board, to) == 0) {
                board = _put(board, (from & 56) | (to & 7), 0);
            }
        }
    }

    /// @dev Whether the side to move may make the move: by the piece's way, and without leaving its king to be taken.
    function legal(Chessmen memory men, uint256 from, uint256 to, uint256 promoted) internal pure returns (bool) {
        unchecked {
            uint256 piece = pieceAt(men.board, from);
            uint256 target = pieceAt(men.board, to);
            if (piece == 0 || piece & BLACK != men.side) return false;
            if (target != 0 && target & BLACK == men.side) return false;
            bool last = piece & 7 == PAWN && (to >> 3 == 0 || to >> 3 == 7);
            if (last ? promoted < KNIGHT || promoted > QUEEN : promoted != 0) return false;
            if (!_reaches(men, piece & 7, from, to)) return false;
            return !_exposed(men, from, to);
        }
    }

    /// @dev Whether the side to move is in check.
    function inCheck(Chessmen memory men) internal pure returns (bool) {
        (uint256 count, ) = _attacks(men.board, _king(men.board, men.side), men.side ^ BLACK);
        return count != 0;
    }

    /// @dev Whether the side to move has a legal move. Castling is none if the king has no other: it passes a free square.
    function hasMove(Chessmen memory men) internal pure returns (bool) {
        unchecked {
            uint256 king = _king(men.board, men.side);
            if (_kingMoves(men, king)) return true;
            // What has to be taken or stood on so that the check ends: anything if there is none.
            (uint256 count, uint256 mask) = _attacks(men.board, king, men.side ^ BLACK);
            if (count > 1) return false;
            if (count == 0) mask = type(uint256).max;
            for (uint256 square = 0; square < 64; ++square) {
                uint256 piece = pieceAt(men.board, square);
                if (piece == 0 || piece & BLACK != men.side || piece & 7 == KING) continue;
                bool free = !_aligned(king, square);
                if (piece & 7 == PAWN ? _pawnMoves(men, square, mask, free) : _pieceMoves(men, square, mask, free)) {
                    return true;
                }
            }
            return false;
        }
    }

    /// @dev Whether a pawn that has just gone two squares to `square` can be taken in passing. `men` is after that move.
    function canPass(Chessmen memory men, uint256 square) internal pure returns (bool) {
        unchecked {
            uint256 to = men.side == 0 ? square + 8 : square - 8;
            uint256 pawn = PAWN | men.side;
            if (square & 7 != 0 && pieceAt(men.board, square - 1) == pawn && !_exposed(men, square - 1, to))
                return true;
            return square & 7 != 7 && pieceAt(men.board, square + 1) == pawn && !_exposed(men, square + 1, to);
        }
    }

    /// @dev Whether no moves at all can end in mate: a king alone against one with a bishop or knight at most, or nothing
    /// but bishops on squares of one colour.
    function dead(uint256 board) internal pure returns (bool) {
        unchecked {
            if (_of(board, PAWN) | _of(board, ROOK) | _of(board, QUEEN) != 0) return false;
            uint256 knights = _of(board, KNIGHT);
            uint256 bishops = _of(board, BISHOP);
            if (knights == 0) return bishops & LIGHT == 0 || bishops & ~LIGHT == 0;
            return bishops == 0 && knights & (knights - 1) == 0;
        }
    }

    // ------------------------------------------------------------------------------------------------ ways of pieces

    function _reaches(Chessmen memory men, uint256 kind, uint256 from, uint256 to) private pure returns (bool) {
        unchecked {
            uint256 files = _distance(from & 7, to & 7);
            uint256 ranks = _distance(from >> 3, to >> 3);
            if (kind == KNIGHT) return files * ranks == 2;
            if (kind == PAWN) return _pawnReaches(men, from, to, files);
            if (kind == KING) return (files < 2 && ranks < 2 && from != to) || _castles(men, from, to);
            if (files != ranks && (kind == BISHOP || files * ranks != 0)) return false;
            if (files == ranks && (kind == ROOK || files == 0)) return false;
            return _clear(men.board, from, to);
        }
    }

    function _pawnReaches(Chessmen memory men, uint256 from, uint256 to, uint256 files) private pure returns (bool) {
        unchecked {
            bool white = men.side == 0;
            uint256 forward = white ? (to >> 3) - (from >> 3) : (from >> 3) - (to >> 3);
            if (files == 0) {
                if (pieceAt(men.board, to) != 0) return false;
                if (forward == 1) return true;
                return forward == 2 && from >> 3 == (white ? 1 : 6) && pieceAt(men.board, (from + to) >> 1) == 0;
            }
            if (files != 1 || forward != 1) return false;
            return pieceAt(men.board, to) != 0 || _passes(men, to);
        }
    }

    /// @dev Whether `to` is where the pawn is taken that has just passed.
    function _passes(Chessmen memory men, uint256 to) private pure returns (bool) {
        unchecked {
            return men.passed == (to & 7) + 1 && to >> 3 == (men.side == 0 ? 5 : 2);
        }
    }

    /// @dev All of castling but where the king ends, which is looked at for every move.
    function _castles(Chessmen memory men, uint256 from, uint256 to) private pure returns (bool) {
        unchecked {
            uint256 home = men.side == 0 ? 4 : 60;
            if (from != home) return false;
            bool long = to == home - 2;
            if (!long && to != home + 2) return false;
            uint256 right = long ? 2 : 1;
            if (men.castling & (right << (men.side >> 2)) == 0) return false;
            uint256 over = long ? home - 1 : home + 1;
            if (pieceAt(men.board, over) | pieceAt(men.board, to) != 0) return false;
            if (long && pieceAt(men.board, home - 3) != 0) return false;
            (uint256 here, ) = _attacks(men.board, home, men.side ^ BLACK);
            (uint256 onTheWay, ) = _attacks(men.board, over, men.side ^ BLACK);
            return here | onTheWay == 0;
        }
    }

    /// @dev Whether nothing stands between two squares of one line.
    function _clear(uint256 board, uint256 from, uint256 to) private pure returns (bool) {
        unchecked {
            uint256 step = _sign(from >> 3, to >> 3) * 8 + _sign(from & 7, to & 7);
            for (from += step; from != to; from += step) {
                if (pieceAt(board, from) != 0) return false;
            }
            return true;
        }
    }

    // ------------------------------------------------------------------------------------------------- any legal move

    function _kingMoves(Chessmen memory men, uint256 king) private pure returns (bool) {
        unchecked {
            for (uint256 index = 0; index < 8; ++index) {
                (uint256 file, uint256 rank) = _step(king, index);
                if (file > 7 || rank > 7) continue;
                uint256 to = (rank << 3) | file;
                if (_open(men, to) && !_exposed(men, king, to)) return true;
            }
            return false;
        }
    }

    /// @param mask Squares of which one must be gone to.
    /// @param free The piece stands in no line with its king: moving it cannot expose that.
    function _pieceMoves(Chessmen memory men, uint256 from, uint256 mask, bool free) private pure returns (bool) {
        unchecked {
            uint256 kind = pieceAt(men.board, from) & 7;
            if (kind == KNIGHT) {
                for (uint256 index = 0; index < 8; ++index) {
                    (uint256 file, uint256 rank) = _jump(from, index);
                    if (file < 8 && rank < 8 && _goes(men, from, (rank << 3) | file, mask, free)) return true;
                }
                return false;
            }
            uint256 end = kind == ROOK ? 4 : 8;
            for (uint256 index = kind == BISHOP ? 4 : 0; index < end; ++index) {
                (uint256 file, uint256 rank) = _step(from, index);
                while (file < 8 && rank < 8) {
                    uint256 to = (rank << 3) | file;
                    if (_goes(men, from, to, mask, free)) return true;
                    if (pieceAt(men.board, to) != 0) break;
                    (file, rank) = _step(to, index);
                }
            }
            return false;
        }
    }

    function _pawnMoves(Chessmen memory men, uint256 from, uint256 mask, bool free) private pure returns (bool) {
        unchecked {
            bool white = men.side == 0;
            uint256 to = white ? from + 8 : from - 8;
            if (pieceAt(men.board, to) == 0) {
                if (_goes(men, from, to, mask, free)) return true;
                uint256 two = white ? to + 8 : to - 8;
                bool home = from >> 3 == (white ? 1 : 6);
                if (home && pieceAt(men.board, two) == 0 && _goes(men, from, two, mask, free)) return true;
            }
            return
                (from & 7 != 0 && _pawnTakes(men, from, to - 1, mask, free)) ||
                (from & 7 != 7 && _pawnTakes(men, from, to + 1, mask, free));
        }
    }

    function _pawnTakes(
        Chessmen memory men,
        uint256 from,
        uint256 to,
        uint256 mask,
        bool free
    ) private pure returns (bool) {
        if (pieceAt(men.board, to) != 0) return _goes(men, from, to, mask, free);
        // In passing two pawns leave a line at once, and a check may end by it: that is looked at as a whole.
        return _passes(men, to) && !_exposed(men, from, to);
    }

    /// @dev Whether a piece whose way leads there may go there.
    function _goes(Chessmen memory men, uint256 from, uint256 to, uint256 mask, bool free) private pure returns (bool) {
        if ((mask >> to) & 1 == 0 || !_open(men, to)) return false;
        return free || !_exposed(men, from, to);
    }

    /// @dev Nothing of our own stands there.
    function _open(Chessmen memory men, uint256 to) private pure returns (bool) {
        uint256 target = pieceAt(men.board, to);
        return target == 0 || target & BLACK != men.side;
    }

    // -------------------------------------------------------------------------------------------------------- attacks

    /// @dev Whether the king of the side to move can be taken after the move.
    function _exposed(Chessmen memory men, uint256 from, uint256 to) private pure returns (bool) {
        uint256 board = moved(men, from, to, 0);
        (uint256 count, ) = _attacks(board, _king(board, men.side), men.side ^ BLACK);
        return count != 0;
    }

    /// @dev How many pieces of a side attack a square, and a bit for each square where they stand or through which they do.
    function _attacks(uint256 board, uint256 square, uint256 by) private pure returns (uint256 count, uint256 mask) {
        unchecked {
            for (uint256 index = 0; index < 8; ++index) {
                (uint256 file, uint256 rank) = _step(square, index);
                uint256 way = 0;
                while (file < 8 && rank < 8) {
                    uint256 to = (rank << 3) | file;
                    way |= 1 << to;
                    uint256 piece = pieceAt(board, to);
                    if (piece != 0) {
                        if (piece & BLACK == by && _hits(piece & 7, index, way & (way - 1) == 0, by)) {
                            ++count;
                            mask |= way;
                        }
                        break;
                    }
                    (file, rank) = _step(to, index);
                }
                (file, rank) = _jump(square, index);
                if (file < 8 && rank < 8 && pieceAt(board, (rank << 3) | file) == KNIGHT | by) {
                    ++count;
                    mask |= 1 << ((rank << 3) | file);
                }
            }
        }
    }

    /// @dev Whether a piece met in this direction attacks where we look from; `near`: it is on the next square.
    function _hits(uint256 kind, uint256 index, bool near, uint256 by) private pure returns (bool) {
        if (kind == QUEEN || kind == (index < 4 ? ROOK : BISHOP)) return true;
        if (!near) return false;
        if (kind == KING) return true;
        // Pawns of white look upwards: they attack what is above them.
        return kind == PAWN && (by == 0 ? index == 5 || index == 7 : index == 4 || index == 6);
    }

    // --------------------------------------------------------------------------------------------------------- squares

    /// @dev Directions: up, down, right, left, then up and down to the right, up and down to the left.
    function _step(uint256 square, uint256 index) private pure returns (uint256 file, uint256 rank) {
        unchecked {
            uint256 step = STEPS >> (8 * (7 - index));
            return ((square & 7) + ((step >> 4) & 15) - 1, (square >> 3) + (step & 15) - 1);
        }
    }

    function _jump(uint256 square, uint256 index) private pure returns (uint256 file, uint256 rank) {
        unchecked {
            uint256 step = JUMPS >> (8 * (7 - index));
            return ((square & 7) + ((step >> 4) & 15) - 2, (square >> 3) + (step & 15) - 2);
        }
    }

    function _aligned(uint256 king, uint256 square) private pure returns (bool) {
        uint256 files = _distance(king & 7, square & 7);
        uint256 ranks = _distance(king >> 3, square >> 3);
        return files == ranks || files == 0 || ranks == 0;
    }

    function _distance(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return a > b ? a - b : b - a;
        }
    }

    /// @dev 1, 0, or all ones for one backwards.
    function _sign(uint256 from, uint256 to) private pure returns (uint256) {
        unchecked {
            return
                to > from
                    ? 1
                    : to == from
                        ? 0
                        : type(uint256).max;
        }
    }

    function _put(uint256 board, uint256 square, uint256 piece) private pure returns (uint256) {
        unchecked {
            return (board & ~(15 << (square << 2))) | (piece << (square << 2));
        }
    }

    /// @dev The lowest bit of each square on which a piece of this kind stands, of either side.
    function _of(uint256 board, uint256 kind) private pure returns (uint256) {
        unchecked {
            uint256 other = board ^ (kind * ONES);
            return ~(other | (other >> 1) | (other >> 2)) & ONES;
        }
    }

    /// @dev Where a side's king stands; every position has both.
    function _king(uint256 board, uint256 side) private pure returns (uint256) {
        unchecked {
            uint256 black = side == 0 ? ~board : board;
            uint256 bit = _of(board, KING) & (black >> 3);
            uint256 square = 0;
            for (uint256 half = 128; half > 2; half >>= 1) {
                if (bit >> half != 0) {
                    bit >>= half;
                    square += half >> 2;
                }
            }
            return square;
        }
    }
}
