(** What every nanocontract promises (protocol, section 4), and why a hub then stays neutral (P4).

    A nanocontract is what it stores of one instance, what may be brought to it, and what it answers.
    Anybody may bring anything at any time; what a call that reverts leaves is what was there. *)

From Perun Require Export Contract Sums.

Section Rules.
Variables Record_ Evidence : Type.
Variable submit : Z -> Evidence -> Record_ -> Record_.
Variable answer : Z -> Record_ -> option Z.

(** [later (t, r) (t', r')]: from [r] at [t], time and anybody's evidence may lead to [r'] at [t']. *)
Inductive later : Z * Record_ -> Z * Record_ -> Prop :=
  | same : forall x, later x x
  | waits : forall x t t' r, later x (t, r) -> t <= t' -> later x (t', r)
  | brings : forall x t r e, later x (t, r) -> later x (t, submit t e r).

Lemma later_time : forall x y, later x y -> fst x <= fst y.
Proof. induction 1; simpl in *; lia. Qed.

Lemma later_trans : forall x y z, later x y -> later y z -> later x z.
Proof. intros x y z H K. induction K; [ exact H | eapply waits; eauto | eapply brings; eauto ]. Qed.

(** Once done it never changes; what is not done after the final time never will be. *)
Record Kept (final_time : Z) (begins : Record_ -> Prop) : Prop := {
  kept_begins : forall t e r, begins r -> begins (submit t e r);
  kept_stable_in_time : forall t t' r s,
    begins r -> t <= t' -> answer t r = Some s -> answer t' r = Some s;
  kept_stable : forall t e r s,
    begins r -> answer t r = Some s -> answer t (submit t e r) = Some s;
  kept_final_in_time : forall t t' r,
    begins r -> final_time < t -> t <= t' -> answer t r = None -> answer t' r = None;
  kept_final : forall t e r,
    begins r -> final_time < t -> answer t r = None -> answer t (submit t e r) = None
}.

Lemma later_begins : forall F begins x y,
  Kept F begins -> later x y -> begins (snd x) -> begins (snd y).
Proof.
  intros F begins x y K H. induction H; intros B; simpl in *; auto. apply K; auto.
Qed.

Theorem once_done_never_changes : forall F begins x y s, Kept F begins -> later x y ->
  begins (snd x) -> answer (fst x) (snd x) = Some s -> answer (fst y) (snd y) = Some s.
Proof.
  intros F begins x y s K H B A. induction H as [x|x t t' r H IH T|x t r e H IH]; simpl in *.
  - exact A.
  - eapply (kept_stable_in_time _ _ K); [| exact T | apply IH; assumption ].
    exact (later_begins _ _ _ _ K H B).
  - apply (kept_stable _ _ K); [| apply IH; assumption ]. exact (later_begins _ _ _ _ K H B).
Qed.

Theorem what_is_late_never_counts : forall F begins x y, Kept F begins -> later x y ->
  begins (snd x) -> F < fst x -> answer (fst x) (snd x) = None -> answer (fst y) (snd y) = None.
Proof.
  intros F begins x y K H B L A.
  induction H as [x|x t t' r H IH T|x t r e H IH]; simpl in *.
  - exact A.
  - pose proof (later_time _ _ H). simpl in *.
    eapply (kept_final_in_time _ _ K); [| | exact T | apply IH; assumption ]; [| lia ].
    exact (later_begins _ _ _ _ K H B).
  - pose proof (later_time _ _ H). simpl in *.
    apply (kept_final _ _ K); [| lia | apply IH; assumption ].
    exact (later_begins _ _ _ _ K H B).
Qed.

(** ** P4. Hub neutrality *)

(** What the instance's Alice loses to its Bob by a resolved nano, whichever way round the channel
    holds them. *)
Definition instance_shift (r : Resolved) : Z := if swapped (nano r) then - shift r else shift r.
Definition lock_of_alice (n : Nano) : Z := if swapped n then bob_lock n else alice_lock n.
Definition lock_of_bob (n : Nano) : Z := if swapped n then alice_lock n else bob_lock n.

(** The chain asks the instance and gets what it answers. *)
Definition asked (o : Strangers) (n : Nano) (t : Z) (r : Record_) : Prop := outcome o n = answer t r.

Definition fits_int112 (s : Z) : Prop := - 2 ^ 111 <= s < 2 ^ 111.

Lemma resolved_shift : forall o n t r x,
  asked o n t r -> (forall s, answer t r = Some s -> fits_int112 s) -> resolve t o n = Some x ->
  nano x = n /\
  match answer t r with
  | Some s => shift x = clamp n s
  | None => expiry n < t /\ shift x = 0
  end.
Proof.
  intros o n t r x A F R. unfold resolve in R. rewrite A in R.
  destruct (answer t r) as [s|].
  - destruct (F s eq_refl) as [L H]. apply Z.leb_le in L. apply Z.ltb_lt in H.
    rewrite L, H in R. cbn [andb] in R. injection R as <-. split; reflexivity.
  - destruct (expiry n <? t) eqn:E; [| discriminate ]. apply Z.ltb_lt in E.
    injection R as <-. split; [ reflexivity | split; [ exact E | reflexivity ] ].
Qed.

Lemma clamp_opposite : forall n m s,
  0 <= alice_lock n -> 0 <= bob_lock n -> 0 <= alice_lock m -> 0 <= bob_lock m ->
  lock_of_alice n = lock_of_alice m -> lock_of_bob n = lock_of_bob m ->
  (if swapped n then - clamp n s else clamp n s) = (if swapped m then - clamp m s else clamp m s).
Proof.
  intros n m s A B C D La Lb. unfold lock_of_alice, lock_of_bob, clamp in *.
  destruct (swapped n), (swapped m); lia.
Qed.

(** One instance, listed in two channels with the same locks (exchanged where the channel holds its
    ends the other way round), its [expiry] its final time.  Whenever each channel is settled, by
    whomever, whatever happens to the instance in between: what its Alice loses to its Bob is the
    same in both.  A hub that is its Bob in one channel and its Alice in the other gains in the one
    what it loses in the other. *)
(* Bytecode: check_hub_is_neutral. *)
Theorem hub_neutrality : forall F begins o1 o2 n1 n2 t1 r1 t2 r2 x1 x2,
  Kept F begins -> begins r1 -> later (t1, r1) (t2, r2) ->
  (forall t r s, answer t r = Some s -> fits_int112 s) ->
  expiry n1 = F -> expiry n2 = F ->
  0 <= alice_lock n1 -> 0 <= bob_lock n1 -> 0 <= alice_lock n2 -> 0 <= bob_lock n2 ->
  lock_of_alice n1 = lock_of_alice n2 -> lock_of_bob n1 = lock_of_bob n2 ->
  asked o1 n1 t1 r1 -> asked o2 n2 t2 r2 ->
  resolve t1 o1 n1 = Some x1 -> resolve t2 o2 n2 = Some x2 ->
  instance_shift x1 = instance_shift x2.
Proof.
  intros F begins o1 o2 n1 n2 t1 r1 t2 r2 x1 x2 K B L Fit E1 E2 A1 B1 A2 B2 La Lb Q1 Q2 R1 R2.
  destruct (resolved_shift _ _ _ _ _ Q1 (Fit t1 r1) R1) as [N1 S1].
  destruct (resolved_shift _ _ _ _ _ Q2 (Fit t2 r2) R2) as [N2 S2].
  unfold instance_shift. rewrite N1, N2.
  destruct (answer t1 r1) as [s|] eqn:An.
  - pose proof (once_done_never_changes F begins (t1, r1) (t2, r2) s K L B An) as An2.
    simpl in An2. rewrite An2 in S2. rewrite S1, S2. apply clamp_opposite; assumption.
  - destruct S1 as [Over S1]. rewrite E1 in Over.
    pose proof (what_is_late_never_counts F begins (t1, r1) (t2, r2) K L B Over An) as An2.
    simpl in An2. rewrite An2 in S2. destruct S2 as [_ S2]. rewrite S1, S2.
    destruct (swapped n1), (swapped n2); lia.
Qed.

End Rules.

(** ** VPM: payments *)

Module VPM.
(** [says k paid]: the key [k] has signed "paid so much in total" for this machine. *)
Record Machine := {
  m_alice : Address; m_bob : Address; m_alice_lock : Z; m_bob_lock : Z;
  validity : Z; m_challenge : Z
}.
Record Totals := { by_alice : Z; by_bob : Z; deadline : Z }.
Record Statements := {
  paid_by_alice : Z; paid_by_bob : Z;
  alice_signed : bool;   (** a valid signature of Alice's key over [paid_by_alice] came with it *)
  bob_signed : bool
}.
Definition amount (o : option Totals) (f : Totals -> Z) : Z :=
  match o with Some r => f r | None => 0 end.

(* Bytecode: check_totals_only_rise, check_isolation. *)
Definition submit (m : Machine) (t : Z) (e : Statements) (o : option Totals) : option Totals :=
  let old_a := amount o by_alice in
  let old_b := amount o by_bob in
  if (MAX_AMOUNT <? paid_by_alice e) || (MAX_AMOUNT <? paid_by_bob e) then o
  else if MAX_DEADLINE <? validity m + m_challenge m then o
  else
    let a := (0 <? m_alice_lock m) && (old_a <? paid_by_alice e) in
    let b := (0 <? m_bob_lock m) && (old_b <? paid_by_bob e) in
    if negb a && negb b then o
    else
      let limit := match o with Some r => deadline r | None => validity m end in
      if limit <? t then o
      else if (a && negb (alice_signed e)) || (b && negb (bob_signed e)) then o
      else Some {| by_alice := if a then paid_by_alice e else old_a;
                   by_bob := if b then paid_by_bob e else old_b;
                   deadline := match o with Some r => deadline r | None => t + m_challenge m end |}.

(* Bytecode: check_outcome. *)
Definition outcome (t : Z) (o : option Totals) : option Z :=
  match o with
  | Some r => if t <=? deadline r then None else Some (by_alice r - by_bob r)
  | None => None
  end.

Definition final_time (m : Machine) : Z := validity m + m_challenge m.

Definition begins (m : Machine) (o : option Totals) : Prop :=
  match o with
  | None => True
  | Some r => deadline r <= final_time m
              /\ 0 <= by_alice r <= MAX_AMOUNT /\ 0 <= by_bob r <= MAX_AMOUNT
              /\ (m_alice_lock m <= 0 -> by_alice r = 0) /\ (m_bob_lock m <= 0 -> by_bob r = 0)
  end.

Ltac cases := repeat match goal with
  | |- context [if ?c then _ else _] => let E := fresh "E" in destruct c eqn:E
  | H : context [if ?c then _ else _] |- _ => let E := fresh "E" in destruct c eqn:E
  end.
Ltac numbers := repeat match goal with
  | H : (_ && _)%bool = true |- _ => apply andb_prop in H; destruct H
  | H : (_ || _)%bool = false |- _ => apply orb_false_iff in H; destruct H
  | H : (_ <=? _) = true |- _ => apply Z.leb_le in H
  | H : (_ <=? _) = false |- _ => apply Z.leb_gt in H
  | H : (_ <? _) = true |- _ => apply Z.ltb_lt in H
  | H : (_ <? _) = false |- _ => apply Z.ltb_ge in H
  end.

(** Final, and its final time is [validity + challenge], whatever anybody brings. *)
Theorem kept : forall m, 0 <= m_challenge m ->
  Kept _ _ (submit m) outcome (final_time m) (begins m).
Proof.
  intros m Ch. constructor.
  - intros t e o B. unfold submit, amount. destruct o as [r|]; cases; auto; numbers;
      unfold begins, final_time in *; simpl in *;
      repeat match goal with H : _ /\ _ |- _ => destruct H end;
      repeat match goal with |- _ /\ _ => split end; intros;
      try (exfalso; lia); lia || auto.
  - intros t t' o s _ T A. unfold outcome in *. destruct o as [r|]; [| discriminate ].
    cases; numbers; try discriminate; try lia; exact A.
  - intros t e o s _ A. destruct o as [r|]; [| discriminate ].
    assert (D : deadline r < t) by (unfold outcome in A; cases; numbers; [ discriminate | lia ]).
    unfold submit. cases; try exact A; numbers; exfalso; lia.
  - intros t t' o B L T A. destruct o as [r|]; [| reflexivity ]. exfalso.
    destruct B as (B & _). unfold outcome in A. cases; numbers; [| discriminate ]. lia.
  - intros t e o B L A. destruct o as [r|].
    + exfalso. destruct B as (B & _). unfold outcome in A. cases; numbers; [| discriminate ]. lia.
    + unfold submit. cases; try reflexivity; numbers; exfalso; unfold final_time in L; lia.
Qed.

(** Any answer is a number that [MSContract] reads. *)
Lemma answers_fit : forall m t o s, begins m o -> outcome t o = Some s -> fits_int112 s.
Proof.
  intros m t o s B A. destruct o as [r|]; [| discriminate ]. destruct B as (_ & A1 & A2 & _).
  unfold outcome in A. cases; [ discriminate |]. injection A as <-.
  unfold fits_int112. change MAX_AMOUNT with (2 ^ 111 - 1) in *. lia.
Qed.

(** Nobody submits: nothing has moved. *)
Lemma untouched : forall t, outcome t None = None.
Proof. reflexivity. Qed.

(** What a machine takes from a side is a total that this side has signed; and it takes nothing
    from a side whose lock is nothing.  [says] is whatever its key ever signed for this machine. *)
Section Signed.
Variable m : Machine.
Variable alice_says bob_says : Z -> Prop.

(** Nobody has a valid signature that was not given. *)
Definition honest (e : Statements) : Prop :=
  (alice_signed e = true -> alice_says (paid_by_alice e))
  /\ (bob_signed e = true -> bob_says (paid_by_bob e)).

Definition by_word (o : option Totals) : Prop :=
  match o with
  | None => True
  | Some r => (by_alice r = 0 \/ (0 < m_alice_lock m /\ alice_says (by_alice r)))
              /\ (by_bob r = 0 \/ (0 < m_bob_lock m /\ bob_says (by_bob r)))
  end.

Theorem nothing_unsigned : forall t e o, honest e -> by_word o -> by_word (submit m t e o).
Proof.
  intros t e o [Ha Hb] B. unfold submit, amount.
  destruct o as [r|]; cases; auto; unfold by_word in *; simpl in *; numbers;
    repeat match goal with H : _ /\ _ |- _ => destruct H end; split; auto;
    right; split; auto; (apply Ha || apply Hb);
    match goal with
    | H : (true && negb ?x)%bool = false |- ?x = true => destruct x; [ reflexivity | discriminate ]
    | |- ?x = true => destruct x; [ reflexivity | cbn in *; congruence ]
    end.
Qed.

(** Totals only rise, and the deadline never moves. *)
Theorem totals_only_rise : forall t e r, exists r', submit m t e (Some r) = Some r'
  /\ by_alice r <= by_alice r' /\ by_bob r <= by_bob r' /\ deadline r' = deadline r.
Proof.
  intros t e r. unfold submit, amount.
  cases; numbers; eexists; (split; [ reflexivity |]); simpl; repeat split; lia.
Qed.
End Signed.
End VPM.

(** ** HashTimeLock *)

Module HashTimeLock.
Record Lock := { of_amount : Z; bob_pays : bool; last : Z }.

(** [right]: what was brought is the preimage. *)
Definition submit (l : Lock) (t : Z) (right : bool) (o : option Z) : option Z :=
  match o with
  | Some s => Some s
  | None =>
      if MAX_AMOUNT <? of_amount l then None
      else if last l <? t then None
      else if right then Some (if bob_pays l then - of_amount l else of_amount l) else None
  end.
Definition outcome (_ : Z) (o : option Z) : option Z := o.

Definition begins (l : Lock) (o : option Z) : Prop :=
  o = None \/ (of_amount l <= MAX_AMOUNT
              /\ o = Some (if bob_pays l then - of_amount l else of_amount l)).

Theorem kept : forall l, Kept _ _ (submit l) outcome (last l) (begins l).
Proof.
  intros l. constructor; unfold outcome; intros.
  - unfold submit, begins in *. destruct r; [ assumption |].
    VPM.cases; VPM.numbers; auto; right; split; auto; lia.
  - assumption.
  - subst. reflexivity.
  - assumption.
  - subst. unfold submit. VPM.cases; VPM.numbers; auto; exfalso; lia.
Qed.

Lemma answers_fit : forall l t o s, 0 <= of_amount l -> begins l o -> outcome t o = Some s ->
  fits_int112 s.
Proof.
  intros l t o s N [->|[M ->]] A; [ discriminate |]. injection A as <-.
  unfold fits_int112. change MAX_AMOUNT with (2 ^ 111 - 1) in M. destruct (bob_pays l); lia.
Qed.

(** Without the preimage, brought in time, nothing moves. *)
Theorem nothing_without_the_preimage : forall l t o, begins l o -> o = None ->
  submit l t false o = None.
Proof. intros l t o _ ->. unfold submit. VPM.cases; reflexivity. Qed.
End HashTimeLock.

(** ** CoinFlip *)

Module CoinFlip.
Record Flip := {
  f_alice_lock : Z; f_bob_lock : Z; odds : Z; f_validity : Z; window : Z
}.
(** What is stored: the secret of one side and until when the other may come, or who pays. *)
Inductive Revealed := one_ (by_bob : bool) (secret deadline : Z) | both (shift : Z).
Record Secret := { of_bob_ : bool; word : Z; right : bool }.

Definition shift_of (f : Flip) (x y : Z) : Z :=
  if (x + y) mod 2 ^ 16 <? odds f then f_alice_lock f else - f_bob_lock f.

Definition submit (f : Flip) (t : Z) (e : Secret) (o : option Revealed) : option Revealed :=
  match o with
  | Some (both s) => o
  | Some (one_ b x d) =>
      if Bool.eqb b (of_bob_ e) then o
      else if d <? t then o
      else if negb (right e) then o
      else Some (both (shift_of f x (word e)))
  | None =>
      if f_validity f <? t then None
      else if negb (right e) then None
      else if (MAX_AMOUNT <? f_alice_lock f) || (MAX_AMOUNT <? f_bob_lock f) then None
      else if MAX_DEADLINE <? f_validity f + window f then None
      else Some (one_ (of_bob_ e) (word e) (t + window f))
  end.

(** Who stays silent pays its whole lock. *)
Definition outcome (f : Flip) (t : Z) (o : option Revealed) : option Z :=
  match o with
  | None => None
  | Some (both s) => Some s
  | Some (one_ b _ d) =>
      if t <=? d then None else Some (if b then f_alice_lock f else - f_bob_lock f)
  end.

Definition final_time (f : Flip) : Z := f_validity f + window f.

Definition begins (f : Flip) (o : option Revealed) : Prop :=
  match o with
  | None => True
  | Some (one_ _ _ d) => d <= final_time f
                         /\ f_alice_lock f <= MAX_AMOUNT /\ f_bob_lock f <= MAX_AMOUNT
  | Some (both s) => (s = f_alice_lock f \/ s = - f_bob_lock f)
                     /\ f_alice_lock f <= MAX_AMOUNT /\ f_bob_lock f <= MAX_AMOUNT
  end.

Theorem kept : forall f, 0 <= window f ->
  Kept _ _ (submit f) (outcome f) (final_time f) (begins f).
Proof.
  intros f W. constructor.
  - intros t e o B. destruct o as [[b x d|s]|]; simpl in *; VPM.cases; auto; simpl;
      VPM.numbers; unfold final_time, shift_of in *; VPM.cases;
      repeat match goal with H : _ /\ _ |- _ => destruct H end; repeat split; auto; lia.
  - intros t t' o s _ T A. destruct o as [[b x d|s']|]; simpl in *; VPM.cases; VPM.numbers;
      try discriminate; auto; exfalso; lia.
  - intros t e o s _ A. destruct o as [[b x d|s']|]; simpl in *; [| exact A | discriminate ].
    VPM.cases; VPM.numbers; try discriminate; simpl; VPM.cases; VPM.numbers; auto; exfalso; lia.
  - intros t t' o B L T A. destruct o as [[b x d|s']|]; simpl in *; VPM.cases; VPM.numbers;
      try discriminate; auto; exfalso; lia.
  - intros t e o B L A. destruct o as [[b x d|s']|]; simpl in *.
    + exfalso. VPM.cases; VPM.numbers; try discriminate; lia.
    + discriminate.
    + unfold final_time in L. VPM.cases; VPM.numbers; auto; exfalso; lia.
Qed.

(** Speaking never costs more than silence: when one secret is there, the other side's silence
    costs its whole lock, which is the most that its secret could cost. *)
Theorem silence_is_never_worth_it : forall f b x d t e,
  0 <= f_alice_lock f -> 0 <= f_bob_lock f -> d < t ->
  let silent := outcome f t (Some (one_ b x d)) in
  let spoken := shift_of f x (word e) in
  match silent with
  | Some s => if b then spoken <= s else s <= spoken
  | None => False
  end.
Proof.
  intros f b x d t e A B L silent spoken. unfold silent, outcome, spoken, shift_of.
  rewrite (proj2 (Z.leb_gt _ _) L). destruct b; VPM.cases; lia.
Qed.
End CoinFlip.

(** ** TurnGame *)

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

Ltac solve_it := VPM.cases; VPM.numbers;
  repeat match goal with
  | H : _ /\ _ |- _ => destruct H
  | H : (_ =? _) = true |- _ => apply Z.eqb_eq in H
  | H : (_ =? _) = false |- _ => apply Z.eqb_neq in H
  | H : negb _ = true |- _ => apply negb_true_iff in H
  | H : negb _ = false |- _ => apply negb_false_iff in H
  end; VPM.numbers;
  repeat match goal with H : live ?r = false -> _, K : live ?r = false |- _ =>
    specialize (H K) end;
  repeat split; intros; subst; auto; try congruence; try lia.

Theorem kept : forall g, Fits g -> Kept _ _ (submit g) outcome (final_time g) (begins g).
Proof.
  intros g [Ch Ba Bb La Lb].
  assert (M : 0 <= MAX_AMOUNT) by (apply Z.lt_le_incl; reflexivity). constructor.
  - intros t e o B. destruct e as [v tu sh good|good acc nt sh]; simpl.
    + destruct o as [r|]; VPM.cases; auto; unfold begins, final_time in *; simpl in *; solve_it.
    + destruct o as [r|]; [| exact B ].
      unfold left_of_mover in *. destruct (turn r =? 1); VPM.cases; auto;
        unfold begins, final_time in *; simpl in *; solve_it.
  - intros t t' o s _ T A. destruct o as [r|]; [| discriminate ]. unfold outcome in *.
    destruct (turn r =? 0).
    + destruct (live r); simpl in *; [ exact A |].
      destruct (start r <? t) eqn:E1; [| discriminate ]. VPM.numbers.
      assert (start r <? t' = true) by (apply Z.ltb_lt; lia). rewrite H. exact A.
    + destruct (t <=? start r + left_of_mover r) eqn:E1; [ discriminate |]. VPM.numbers.
      assert (t' <=? start r + left_of_mover r = false) by (apply Z.leb_gt; lia).
      rewrite H. exact A.
  - intros t e o s B A. destruct o as [r|]; [| discriminate ].
    simpl in B. destruct B as (Na & Nb & _).
    assert (Same : submit g t e (Some r) = Some r); [| rewrite Same; exact A ].
    unfold outcome in A. destruct e as [v tu sh good|good acc nt sh]; unfold submit.
    + destruct (live r) eqn:Li; [ reflexivity |]. cbn [orb] in *.
      assert (St : start r < t).
      { destruct (turn r =? 0).
        - destruct (start r <? t) eqn:X; [ VPM.numbers; assumption | discriminate ].
        - destruct (t <=? start r + left_of_mover r) eqn:X; [ discriminate |]. VPM.numbers.
          unfold left_of_mover in X. destruct (turn r =? 1); lia. }
      clear A. rewrite (proj2 (Z.ltb_lt _ _) St). VPM.cases; reflexivity.
    + destruct (turn r =? 0); [ reflexivity |].
      destruct (t <=? start r + left_of_mover r) eqn:X; [ discriminate |]. VPM.numbers.
      rewrite (proj2 (Z.ltb_lt _ _) X). clear A. VPM.cases; reflexivity.
  - intros t t' o B L T A. destruct o as [r|]; [| reflexivity ]. exfalso.
    simpl in B. destruct B as (Na & Nb & Fi & _). unfold outcome, left_of_mover in A.
    destruct (turn r =? 0).
    + destruct (live r); [ discriminate |]. cbn [orb] in A.
      destruct (start r <? t) eqn:X; [ discriminate |]. VPM.numbers. lia.
    + destruct (turn r =? 1); destruct (t <=? _) eqn:X in A; try discriminate; VPM.numbers; lia.
  - intros t e o B L A. destruct o as [r|].
    + exfalso. simpl in B. destruct B as (Na & Nb & Fi & _). unfold outcome, left_of_mover in A.
      destruct (turn r =? 0).
      * destruct (live r); [ discriminate |]. cbn [orb] in A.
        destruct (start r <? t) eqn:X; [ discriminate |]. VPM.numbers. lia.
      * destruct (turn r =? 1); destruct (t <=? _) eqn:X in A; try discriminate; VPM.numbers; lia.
    + destruct e; [| reflexivity ]. unfold submit, final_time in *.
      destruct (_ || _ || _); [ reflexivity |]. destruct (negb _); [ reflexivity |].
      destruct (g_validity g <? t) eqn:X; [ reflexivity |]. VPM.numbers. exfalso. lia.
Qed.

Lemma answers_fit : forall g t o s, Fits g -> begins g o -> outcome t o = Some s ->
  fits_int112 s.
Proof.
  intros g t o s _ B A. destruct o as [r|]; [| discriminate ]. simpl in B.
  destruct B as (_ & _ & _ & E & _). unfold outcome in A. unfold fits_int112.
  change MAX_AMOUNT with (2 ^ 111 - 1) in *.
  VPM.cases; try discriminate; injection A as <-; lia.
Qed.

(** Rules may say what they like: nobody loses more than its lock, and a game that no rules answer
    any more still ends, against the side whose bank runs out. *)
Theorem a_result_is_within_the_locks : forall g o t s, begins g o -> outcome t o = Some s ->
  match o with Some r => turn r = 0 -> - g_bob_lock g <= s <= g_alice_lock g | None => True end.
Proof.
  intros g o t s B A. destruct o as [r|]; [| exact I ]. intros T. simpl in B.
  destruct B as (_ & _ & _ & _ & E & _). unfold outcome in A. rewrite T in A. simpl in A.
  VPM.cases; [| discriminate ]. injection A as <-. apply E. exact T.
Qed.
End TurnGame.
