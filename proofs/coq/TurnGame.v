(** Positions that both sign, then moves against two clocks (protocol, section 4). *)

From Perun Require Export Nanocontracts.

Module TurnGame.
Record Game := {
  g_alice_lock : Z; g_bob_lock : Z; g_validity : Z; g_challenge : Z;
  alice_bank : Z; bob_bank : Z
}.
(** [turn] is 0 for a finished game, 1 if Alice moves, 2 if Bob does. *)
Record Stored := {
  turn : Z; live : bool; start : Z; number : Z; left_alice : Z; left_bob : Z; ends_with : Z
}.
Inductive Brought :=
  | position (version turn_ shift_ : Z) (signed_by_both : bool)
  | move (signed_by_mover : bool) (accepted : bool) (next_turn share : Z).
    (** [accepted], [next_turn], [share]: what the rules say, which may be anything each time *)

Definition left_of_mover (r : Stored) : Z := if turn r =? 1 then left_alice r else left_bob r.

Definition submit (g : Game) (t : Z) (e : Brought) (o : option Stored) : option Stored :=
  match e with
  | position v turn_ shift_ good =>
      let begun := match o with Some r => live r || (v <=? number r) | None => false end in
      let limit := match o with Some r => start r | None => g_validity g end in
      if begun then o
      else if (MAX_DEADLINE <? g_validity g + g_challenge g + alice_bank g + bob_bank g)
              || (MAX_AMOUNT <? g_alice_lock g) || (MAX_AMOUNT <? g_bob_lock g) then o
      else if negb ((0 <=? turn_) && (turn_ <=? 2)) then o
      else if limit <? t then o
      else if negb good then o
      else Some {| turn := turn_; live := false;
                   start := match o with Some r => start r | None => t + g_challenge g end;
                   number := v; left_alice := alice_bank g; left_bob := bob_bank g;
                   ends_with := if turn_ =? 0
                     then Z.max (- g_bob_lock g) (Z.min (g_alice_lock g) shift_) else 0 |}
  | move good accepted next_turn share =>
      match o with
      | None => None
      | Some r =>
          if turn r =? 0 then o
          else if negb (live r) && (t <=? start r) then o
          else if start r + left_of_mover r <? t then o
          else if t <? start r then o   (* a chain's clock does not go back *)
          else if negb (good && accepted && (0 <=? next_turn) && (next_turn <=? 2)) then o
          else
            let used := t - start r in
            Some {| turn := next_turn; live := true; start := t; number := number r + 1;
                    left_alice := if turn r =? 1 then left_alice r - used else left_alice r;
                    left_bob := if turn r =? 1 then left_bob r else left_bob r - used;
                    ends_with := if next_turn =? 0
                      then Z.max (- g_bob_lock g) (Z.min (g_alice_lock g) share) else 0 |}
      end
  end.

(** Whose bank runs out pays "its whole lock": [MAX_AMOUNT], which the channel cuts to the lock. *)
Definition outcome (t : Z) (o : option Stored) : option Z :=
  match o with
  | None => None
  | Some r =>
      if turn r =? 0 then (if live r || (start r <? t) then Some (ends_with r) else None)
      else if t <=? start r + left_of_mover r then None
      else Some (if turn r =? 1 then MAX_AMOUNT else - MAX_AMOUNT)
  end.

(** The final time does not depend on the number of moves. *)
Definition final_time (g : Game) : Z :=
  g_validity g + g_challenge g + alice_bank g + bob_bank g.

Definition begins (g : Game) (o : option Stored) : Prop :=
  match o with
  | None => True
  | Some r => 0 <= left_alice r /\ 0 <= left_bob r
              /\ start r + left_alice r + left_bob r <= final_time g
              /\ - MAX_AMOUNT <= ends_with r <= MAX_AMOUNT
              /\ (turn r = 0 -> - g_bob_lock g <= ends_with r <= g_alice_lock g)
              /\ (live r = false -> start r <= g_validity g + g_challenge g)
              /\ g_alice_lock g <= MAX_AMOUNT /\ g_bob_lock g <= MAX_AMOUNT
  end.

Record Fits (g : Game) : Prop := {
  fit_challenge : 0 <= g_challenge g; fit_alice : 0 <= alice_bank g; fit_bob : 0 <= bob_bank g;
  fit_alice_lock : 0 <= g_alice_lock g; fit_bob_lock : 0 <= g_bob_lock g
}.

Lemma answers_fit : forall g t o s, Fits g -> begins g o -> outcome t o = Some s ->
  fits_int112 s.
Proof.
  intros g t o s _ B A. destruct o as [r|]; [| discriminate ]. simpl in B.
  destruct B as (_ & _ & _ & E & _). unfold outcome in A. unfold fits_int112.
  change MAX_AMOUNT with (2 ^ 111 - 1) in *.
  cases; try discriminate; injection A as <-; lia.
Qed.

Ltac solve_it := cases; numbers;
  repeat match goal with
  | H : _ /\ _ |- _ => destruct H
  | H : (_ =? _) = true |- _ => apply Z.eqb_eq in H
  | H : (_ =? _) = false |- _ => apply Z.eqb_neq in H
  | H : negb _ = true |- _ => apply negb_true_iff in H
  | H : negb _ = false |- _ => apply negb_false_iff in H
  end; numbers;
  repeat match goal with H : live ?r = false -> _, K : live ?r = false |- _ =>
    specialize (H K) end;
  repeat split; intros; subst; auto; try congruence; try lia.

Theorem kept : forall g, Fits g -> Kept _ _ (submit g) outcome (final_time g) (begins g).
Proof.
  intros g Fit. pose proof Fit as [Ch Ba Bb La Lb].
  assert (M : 0 <= MAX_AMOUNT) by (apply Z.lt_le_incl; reflexivity). constructor.
  - intros t e o B. destruct e as [v tu sh good|good acc nt sh]; simpl.
    + destruct o as [r|]; cases; auto; unfold begins, final_time in *; simpl in *; solve_it.
    + destruct o as [r|]; [| exact B ].
      unfold left_of_mover in *. destruct (turn r =? 1); cases; auto;
        unfold begins, final_time in *; simpl in *; solve_it.
  - intros t t' o s _ T A. destruct o as [r|]; [| discriminate ]. unfold outcome in *.
    destruct (turn r =? 0).
    + destruct (live r); simpl in *; [ exact A |].
      destruct (start r <? t) eqn:E1; [| discriminate ]. numbers.
      assert (start r <? t' = true) by (apply Z.ltb_lt; lia). rewrite H. exact A.
    + destruct (t <=? start r + left_of_mover r) eqn:E1; [ discriminate |]. numbers.
      assert (t' <=? start r + left_of_mover r = false) by (apply Z.leb_gt; lia).
      rewrite H. exact A.
  - intros t e o s B A. destruct o as [r|]; [| discriminate ].
    simpl in B. destruct B as (Na & Nb & _).
    assert (Same : submit g t e (Some r) = Some r); [| rewrite Same; exact A ].
    unfold outcome in A. destruct e as [v tu sh good|good acc nt sh]; unfold submit.
    + destruct (live r) eqn:Li; [ reflexivity |]. cbn [orb] in *.
      assert (St : start r < t).
      { destruct (turn r =? 0).
        - destruct (start r <? t) eqn:X; [ numbers; assumption | discriminate ].
        - destruct (t <=? start r + left_of_mover r) eqn:X; [ discriminate |]. numbers.
          unfold left_of_mover in X. destruct (turn r =? 1); lia. }
      clear A. rewrite (proj2 (Z.ltb_lt _ _) St). cases; reflexivity.
    + destruct (turn r =? 0); [ reflexivity |].
      destruct (t <=? start r + left_of_mover r) eqn:X; [ discriminate |]. numbers.
      rewrite (proj2 (Z.ltb_lt _ _) X). clear A. cases; reflexivity.
  - intros t t' o B L T A. destruct o as [r|]; [| reflexivity ]. exfalso.
    simpl in B. destruct B as (Na & Nb & Fi & _). unfold outcome, left_of_mover in A.
    destruct (turn r =? 0).
    + destruct (live r); [ discriminate |]. cbn [orb] in A.
      destruct (start r <? t) eqn:X; [ discriminate |]. numbers. lia.
    + destruct (turn r =? 1); destruct (t <=? _) eqn:X in A; try discriminate; numbers; lia.
  - intros t e o B L A. destruct o as [r|].
    + exfalso. simpl in B. destruct B as (Na & Nb & Fi & _). unfold outcome, left_of_mover in A.
      destruct (turn r =? 0).
      * destruct (live r); [ discriminate |]. cbn [orb] in A.
        destruct (start r <? t) eqn:X; [ discriminate |]. numbers. lia.
      * destruct (turn r =? 1); destruct (t <=? _) eqn:X in A; try discriminate; numbers; lia.
    + destruct e; [| reflexivity ]. unfold submit, final_time in *.
      destruct (_ || _ || _); [ reflexivity |]. destruct (negb _); [ reflexivity |].
      destruct (g_validity g <? t) eqn:X; [ reflexivity |]. numbers. exfalso. lia.
  - intros t o s. apply answers_fit. exact Fit.
Qed.

(** Rules may say what they like: nobody loses more than its lock, and a game that no rules answer
    any more still ends, against the side whose bank runs out. *)
Theorem a_result_is_within_the_locks : forall g o t s, begins g o -> outcome t o = Some s ->
  match o with Some r => turn r = 0 -> - g_bob_lock g <= s <= g_alice_lock g | None => True end.
Proof.
  intros g o t s B A. destruct o as [r|]; [| exact I ]. intros T. simpl in B.
  destruct B as (_ & _ & _ & _ & E & _). unfold outcome in A. rewrite T in A. simpl in A.
  cases; [| discriminate ]. injection A as <-. apply E. exact T.
Qed.

(** A newer position that both have signed counts while [start] is not over, and moves no clock. *)
Theorem a_newer_position_counts : forall g t r v turn_ s,
  live r = false -> number r < v -> t <= start r -> 0 <= turn_ <= 2 ->
  g_alice_lock g <= MAX_AMOUNT -> g_bob_lock g <= MAX_AMOUNT -> final_time g <= MAX_DEADLINE ->
  exists r', submit g t (position v turn_ s true) (Some r) = Some r'
  /\ number r' = v /\ turn r' = turn_ /\ start r' = start r /\ live r' = false
  /\ (turn_ = 0 -> - g_bob_lock g <= s <= g_alice_lock g -> ends_with r' = s).
Proof.
  intros g t r v turn_ s L N T [U V] A B F. unfold submit. unfold final_time in F.
  rewrite L, (proj2 (Z.leb_gt _ _) N), (proj2 (Z.ltb_ge _ _) F), (proj2 (Z.ltb_ge _ _) A),
    (proj2 (Z.ltb_ge _ _) B), (proj2 (Z.leb_le _ _) U), (proj2 (Z.leb_le _ _) V),
    (proj2 (Z.ltb_ge _ _) T).
  cbn [orb andb negb]. eexists. split; [ reflexivity |]. cbn [number turn start live ends_with].
  repeat split. intros -> W. simpl. lia.
Qed.

(** A move that the rules accept, signed by the side whose turn it is and within its bank, counts;
    it costs that side the time it took, and the other side none. *)
Theorem a_move_in_time_counts : forall g t r turn_ s,
  turn r <> 0 -> (if live r then start r <= t else start r < t) ->
  t <= start r + left_of_mover r -> 0 <= turn_ <= 2 ->
  exists r', submit g t (move true true turn_ s) (Some r) = Some r'
  /\ turn r' = turn_ /\ live r' = true /\ start r' = t /\ number r' = number r + 1
  /\ left_alice r' = (if turn r =? 1 then left_alice r - (t - start r) else left_alice r)
  /\ left_bob r' = (if turn r =? 1 then left_bob r else left_bob r - (t - start r))
  /\ (turn_ = 0 -> - g_bob_lock g <= s <= g_alice_lock g -> outcome t (Some r') = Some s).
Proof.
  intros g t r turn_ s N L T [U V]. unfold submit. rewrite (proj2 (Z.eqb_neq _ _) N).
  assert (X : negb (live r) && (t <=? start r) = false).
  { destruct (live r); [ reflexivity |]. simpl. apply Z.leb_gt. exact L. }
  assert (Y : start r <= t) by (destruct (live r); lia).
  rewrite X, (proj2 (Z.ltb_ge _ _) T), (proj2 (Z.ltb_ge _ _) Y), (proj2 (Z.leb_le _ _) U),
    (proj2 (Z.leb_le _ _) V). cbn [andb negb].
  eexists. split; [ reflexivity |].
  cbn [turn live start number left_alice left_bob ends_with]. repeat split.
  intros -> W. cbn -[Z.max]. f_equal. lia.
Qed.

(** Who lets its clock run out pays its whole lock, and needs nobody to say so. *)
Theorem whose_clock_runs_out_pays : forall t r, turn r <> 0 -> start r + left_of_mover r < t ->
  outcome t (Some r) = Some (if turn r =? 1 then MAX_AMOUNT else - MAX_AMOUNT).
Proof.
  intros t r N T. simpl. rewrite (proj2 (Z.eqb_neq _ _) N), (proj2 (Z.leb_gt _ _) T). reflexivity.
Qed.

(** Nothing changes without both signatures, or the mover's and the rules' consent. *)
Theorem nothing_without_a_word : forall g t o v turn_ s a,
  submit g t (position v turn_ s false) o = o /\ submit g t (move false a turn_ s) o = o
  /\ submit g t (move true false turn_ s) o = o.
Proof.
  intros g t o v turn_ s a. unfold submit. cbn [negb andb].
  destruct o as [r|]; repeat split; cases; reflexivity.
Qed.
End TurnGame.
