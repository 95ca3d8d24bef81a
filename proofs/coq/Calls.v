(** What each call does when it is right, to the unit: a deposit counts, credit is paid to whoever
    owns it, and what both have said happens at once.  Nobody can stop it, because the call asks
    nobody else; only a token or a payee can refuse for itself. *)

From Perun Require Export Theorems.

Section Calls.
Variable self : Address.

(** What a token brings; ETH is what is sent along. *)
Definition brings (o : Strangers) (a : Asset) (amount : Z) : option Z :=
  if a =? ETH then Some amount else arrives o amount.
Definition due (a : Asset) (amount : Z) : Z := if a =? ETH then amount else 0.

Lemma pull_brings : forall w o a amount n, brings o a amount = Some n -> 0 <= n ->
  pull w o (due a amount) a amount = Done (with_balance w a (balance w a + n), n).
Proof.
  intros w o a amount n B N. unfold pull, due, brings in *. rewrite Z.eqb_refl.
  destruct (a =? ETH); [ injection B as ->; reflexivity |]. rewrite B, (proj2 (Z.leb_le _ _) N).
  reflexivity.
Qed.

(** ** Money in *)

Definition raised (w w' : World) (k : Key) (to_a to_b : Z) : Prop :=
  of_alice (funds w' k) = of_alice (funds w k) + to_a
  /\ of_bob (funds w' k) = of_bob (funds w k) + to_b
  /\ withdrawals (funds w' k) = withdrawals (funds w k)
  /\ deposited w' k = deposited w k + to_a + to_b.

Lemma raise_works : forall w k a b dr, of_alice (funds w k) + a <= MAX_AMOUNT -> a <= MAX_AMOUNT ->
  of_bob (funds w k) + b <= MAX_AMOUNT -> b <= MAX_AMOUNT ->
  exists w', raise_sides w k a b dr = Done w' /\ raised w w' k a b
  /\ balance w' = balance w /\ credits w' = credits w /\ disputes w' k = disputes w k
  /\ drawn (funds w' k) = drawn (funds w k) || dr.
Proof.
  intros w k a b dr A A' B B'. unfold raise_sides.
  rewrite (proj2 (Z.leb_le _ _) A), (proj2 (Z.leb_le _ _) A'), (proj2 (Z.leb_le _ _) B),
    (proj2 (Z.leb_le _ _) B'). cbn [andb].
  eexists. split; [ reflexivity |]. unfold raised. simpl. rewrite !update_same. simpl. auto 10.
Qed.

(** What a party deposits is its own, whatever arrives of it; what comes late, or into a dispute,
    does not come at all. *)
Theorem a_deposit_counts : forall w o a id to_bob amount until n,
  disputes w (a, id) = None -> now w <= until -> brings o a amount = Some n -> 0 <= n ->
  n + of_alice (funds w (a, id)) <= MAX_AMOUNT -> n + of_bob (funds w (a, id)) <= MAX_AMOUNT ->
  n <= MAX_AMOUNT ->
  of_alice (funds w (a, id)) <= MAX_AMOUNT -> of_bob (funds w (a, id)) <= MAX_AMOUNT ->
  exists w', deposit w o (due a amount) a id to_bob amount until = Done w'
  /\ balance w' a = balance w a + n
  /\ raised w w' (a, id) (if to_bob then 0 else n) (if to_bob then n else 0).
Proof.
  intros w o a id to_bob amount until n D T B N A1 B1 M A2 B2.
  assert (M0 : 0 <= MAX_AMOUNT) by (apply Z.lt_le_incl; reflexivity).
  unfold deposit, deposit_into. rewrite (proj2 (Z.leb_le _ _) T). cbn [fst].
  rewrite (pull_brings w o a amount n B N). cbn [bind disputes with_balance]. rewrite D.
  destruct (raise_works (with_balance w a (balance w a + n)) (a, id)
    (if to_bob then 0 else n) (if to_bob then n else 0) false)
    as (w' & E & R & Ba & _); try (destruct to_bob; simpl; lia).
  exists w'. split; [ exact E |]. rewrite Ba. split; [ simpl; apply update_same | exact R ].
Qed.

(** The same for the side of whoever opens: Alice's account pays for Alice, Bob's for Bob. *)
Theorem an_opening_counts : forall w o caller c amount until n,
  by_party c caller = true -> alice c <> bob c ->
  disputes w (key c) = None -> now w <= until -> brings o (asset c) amount = Some n -> 0 <= n ->
  n + of_alice (funds w (key c)) <= MAX_AMOUNT -> n + of_bob (funds w (key c)) <= MAX_AMOUNT ->
  n <= MAX_AMOUNT ->
  of_alice (funds w (key c)) <= MAX_AMOUNT -> of_bob (funds w (key c)) <= MAX_AMOUNT ->
  exists w', open w o caller (due (asset c) amount) c amount until = Done w'
  /\ balance w' (asset c) = balance w (asset c) + n
  /\ (caller = alice c -> raised w w' (key c) n 0) /\ (caller = bob c -> raised w w' (key c) 0 n).
Proof.
  intros w o caller c amount until n P Ne D T B N A1 B1 M A2 B2.
  destruct (a_deposit_counts w o (asset c) (id_of c) (negb (caller =? alice c)) amount until n)
    as (w' & E & Ba & R); auto.
  exists w'. unfold open, deposit in *. rewrite P. rewrite (proj2 (Z.leb_le _ _) T) in *.
  split; [ exact E | split; [ exact Ba |] ]. split; intros ->.
  - rewrite Z.eqb_refl in R. exact R.
  - rewrite (proj2 (Z.eqb_neq _ _)) in R by congruence. exact R.
Qed.

(** ** Money out *)

(** What is paid arrives, to the unit, or is the account's credit: nothing else becomes of it. *)
Theorem what_is_paid_arrives : forall w o k to amount to_credit, 0 <= amount ->
  credits w (fst k, to) + amount <= MOST_CREDIT ->
  let w' := pay w o k to amount to_credit in
  paid w' k = paid w k + amount
  /\ (if to_credit || negb (delivers o to)
      then balance w' = balance w /\ credits w' (fst k, to) = credits w (fst k, to) + amount
      else balance w' (fst k) = balance w (fst k) - amount /\ credits w' = credits w)
  /\ forall p, p <> (fst k, to) -> credits w' p = credits w p.
Proof.
  intros w o k to amount cr N F w'. unfold w', pay. destruct (amount =? 0) eqn:Z0.
  - apply Z.eqb_eq in Z0. subst. replace (paid w k + 0) with (paid w k) by lia.
    destruct (_ || _); repeat split; lia.
  - destruct (cr || negb (delivers o to)); unfold give_credit; simpl; rewrite ?update_same.
    + split; [ reflexivity |]. split; [ split; [ reflexivity | lia ] |].
      intros p Ne. apply update_other. congruence.
    + repeat split.
Qed.

(** Credit is paid to whomever its owner names, all of it that is asked for. *)
Theorem credit_is_paid : forall w o caller a amount to,
  0 < amount <= credits w (a, caller) -> to <> ZERO_ADDRESS -> to <> self -> delivers o to = true ->
  exists w', claim self w o caller a amount to = Done w'
  /\ balance w' a = balance w a - amount
  /\ credits w' (a, caller) = credits w (a, caller) - amount
  /\ (forall p, p <> (a, caller) -> credits w' p = credits w p)
  /\ funds w' = funds w /\ disputes w' = disputes w.
Proof.
  intros w o caller a amount to [L U] Z S D. unfold claim, debit.
  rewrite (proj2 (Z.eqb_neq _ _) Z), (proj2 (Z.leb_le _ _) U), (proj2 (Z.eqb_neq _ _) S), D,
    (proj2 (Z.eqb_neq amount 0)) by lia. cbn [negb bind].
  eexists. split; [ reflexivity |]. simpl. rewrite !update_same.
  repeat split. intros p Ne. apply update_other. congruence.
Qed.

(** What is funded is the account's, up to the greatest number. *)
Theorem what_is_funded_counts : forall w o a account amount n,
  account <> ZERO_ADDRESS -> brings o a amount = Some n -> 0 <= n ->
  credits w (a, account) + n <= MOST_CREDIT ->
  exists w', fund w o (due a amount) a account amount = Done w'
  /\ balance w' a = balance w a + n /\ credits w' (a, account) = credits w (a, account) + n.
Proof.
  intros w o a account amount n Z B N F. unfold fund. rewrite (proj2 (Z.eqb_neq _ _) Z).
  cbn [negb]. rewrite (pull_brings w o a amount n B N). cbn [bind].
  eexists. split; [ reflexivity |]. unfold give_credit. simpl. rewrite !update_same. split; [ reflexivity | lia ].
Qed.

(** ** What both have said happens at once *)

Lemma signed_by : forall k m, k <> ZERO_ADDRESS -> signed k m (Signed k m) = true.
Proof.
  intros k m N. unfold signed, recover. destruct (Message_eq_dec m m); [| contradiction ].
  rewrite Z.eqb_refl, (proj2 (Z.eqb_neq _ _) N). reflexivity.
Qed.

Lemma both_sign : forall w c caller m, alice_key c <> ZERO_ADDRESS -> bob_key c <> ZERO_ADDRESS ->
  both_agree w c caller m (Signed (alice_key c) m) (Signed (bob_key c) m)
  = Done (with_sent w (caller, m)).
Proof. intros. unfold both_agree, agrees. cbn [given orb]. rewrite !signed_by by assumption. reflexivity. Qed.

(** A [Close] that both have signed ends the channel in one call of whomever, and pays each side its
    holdings and what moved; also in a dispute, until its deadline. *)
Theorem both_can_close_at_once : forall w o caller c net until to_credit,
  let m := Close (id_of c) net until to_credit in
  alice_key c <> ZERO_ADDRESS -> bob_key c <> ZERO_ADDRESS ->
  empty w (key c) = false -> now w <= until ->
  (forall d, disputes w (key c) = Some d -> now w <= deadline d) ->
  net <= of_alice (funds w (key c)) -> - net <= of_bob (funds w (key c)) ->
  exists w' p,
    close w o caller c net until to_credit (Signed (alice_key c) m) (Signed (bob_key c) m) = Done w'
  /\ payouts w' = p :: payouts w /\ of_channel p = c
  /\ alice_paid p = of_alice (funds w (key c)) - net
  /\ bob_paid p = of_bob (funds w (key c)) + net
  /\ funds w' (key c) = nothing /\ disputes w' (key c) = None
  /\ paid w' (key c) = paid w (key c) + total (funds w (key c)).
Proof.
  intros w o caller c net until tc m Ka Kb E T D A B. unfold close. rewrite E.
  rewrite (proj2 (Z.leb_le _ _) T).
  assert (Be : before_deadline w (key c) = true).
  { unfold before_deadline. destruct (disputes w (key c)) as [d|]; [| reflexivity ].
    apply Z.leb_le, D. reflexivity. }
  rewrite Be. cbn [negb]. fold m. rewrite both_sign by assumption. cbn [bind funds with_sent].
  assert (S : solvent (funds w (key c)) net [] = true).
  { unfold solvent, free_of_alice, free_of_bob. simpl.
    apply andb_true_intro. split; apply Z.leb_le; lia. }
  rewrite S. eexists. eexists. split; [ reflexivity |].
  split; [ rewrite pay_out_payouts; reflexivity |].
  unfold free_of_alice, free_of_bob, pay_out, key, total. simpl of_channel. simpl alice_paid. simpl bob_paid.
  repeat match goal with |- context [pay ?w ?o ?k ?t ?n ?x] =>
    destruct (pay_keeps w o k t n x) as (_ & -> & -> & _) end.
  rewrite !pay_paid. simpl. rewrite !update_same.
  destruct (Key_eq_dec (asset c, id_of c) (asset c, id_of c)); [| contradiction ].
  repeat split; lia.
Qed.

(** A [Withdraw] that both have signed lowers each side by what it is paid, and no other channel's. *)
Theorem both_can_withdraw_at_once : forall w o caller c x y until,
  let m := Withdraw (id_of c) (withdrawals (funds w (key c))) x y until in
  alice_key c <> ZERO_ADDRESS -> bob_key c <> ZERO_ADDRESS ->
  disputes w (key c) = None -> now w <= until ->
  withdrawals (funds w (key c)) <> MOST_WITHDRAWALS -> x + y <= total (funds w (key c)) ->
  exists w', withdraw w o caller c (withdrawals (funds w (key c))) x y until
               (Signed (alice_key c) m) (Signed (bob_key c) m) = Done w'
  /\ of_alice (funds w' (key c)) = of_alice (funds w (key c)) - x
  /\ of_bob (funds w' (key c)) = of_bob (funds w (key c)) - y
  /\ withdrawals (funds w' (key c)) = withdrawals (funds w (key c)) + 1
  /\ paid w' (key c) = paid w (key c) + x + y
  /\ w' = pay (pay (with_funds (with_sent w (caller, m)) (key c) (funds w' (key c)))
                o (key c) (alice c) x false) o (key c) (bob c) y false.
Proof.
  intros w o caller c x y until m Ka Kb D T W S. unfold withdraw. rewrite D.
  rewrite (proj2 (Z.leb_le _ _) T), Z.eqb_refl, (proj2 (Z.eqb_neq _ _) W). cbn [negb andb].
  fold m. rewrite both_sign by assumption. cbn [bind].
  assert (N : 0 <=? of_alice (funds w (key c)) - x + (of_bob (funds w (key c)) - y) = true)
    by (apply Z.leb_le; unfold total in S; lia).
  rewrite N. eexists. split; [ reflexivity |].
  repeat match goal with |- context [funds (pay ?w ?o ?k ?t ?n ?x)] =>
    destruct (pay_keeps w o k t n x) as (_ & -> & _) end.
  rewrite !pay_paid. simpl. rewrite !update_same.
  destruct (Key_eq_dec (key c) (key c)); [| contradiction ]. cbn [of_alice of_bob withdrawals].
  repeat split; lia.
Qed.

(** A batch goes on past an item that does not match: one counterparty cannot stop the rest. *)
Theorem a_bad_item_stops_nobody : forall w o c net nanos rest,
  (disputes w (key c) = None \/ exists d, disputes w (key c) = Some d
     /\ (now w <= deadline d \/ net <> registered_net d \/ nanos <> registered_nanos d)) ->
  settle_many w o ((c, net, nanos) :: rest) = settle_many w o rest.
Proof.
  intros w o c net nanos rest H. simpl. unfold settle.
  destruct H as [->|(d & -> & H)]; [ reflexivity |].
  destruct (deadline d <? now w) eqn:E; [| reflexivity ]. apply Z.ltb_lt in E.
  destruct (net =? registered_net d) eqn:N; [ apply Z.eqb_eq in N | reflexivity ].
  destruct (list_eq_dec Nano_eq_dec nanos (registered_nanos d)); [| reflexivity ].
  exfalso. destruct H as [H|[H|H]]; [ lia | contradiction | contradiction ].
Qed.

(** ** P5 as a whole *)

(** Something was paid out of the channel since. *)
Definition PaidSince (w w' : World) (k : Key) : Prop :=
  exists l, l <> [] /\ outs w' k = l ++ outs w k.

(** The dispute stands, its clock as it was, and nothing was paid. *)
Definition Stands (w w' : World) (k : Key) (d : Dispute) : Prop :=
  outs w' k = outs w k
  /\ exists d', disputes w' k = Some d' /\ deadline d' = deadline d /\ version d <= version d'
                /\ (settling d = false -> settling d' = false).

Lemma effect_outs_grow : forall w w' g k, Effect w w' g k -> exists l, outs w' k = l ++ outs w k.
Proof.
  intros w w' g k E.
  destruct E; try (exists []; assumption); (exists [p]; apply outs_more; assumption).
Qed.

Lemma effect_stands_or_pays : forall w w' g k d, Effect w w' g k -> disputes w k = Some d ->
  Stands w w' k d \/ PaidSince w w' k.
Proof.
  intros w w' g k d E D. destruct E; try congruence.
  - left. split; [ assumption |]. exists d. repeat split; [ congruence | lia | auto ].
  - rewrite D in *. left. split; [ assumption |]. exists d'. repeat split; try tauto. lia.
  - right. exists [p]. split; [ discriminate | apply outs_more; assumption ].
  - right. exists [p]. split; [ discriminate | apply outs_more; assumption ].
Qed.

Lemma stands_or_pays_on : forall w w' w'' k d, Stands w w' k d \/ PaidSince w w' k ->
  (exists l, outs w'' k = l ++ outs w' k) ->
  (forall d', disputes w' k = Some d' -> Stands w' w'' k d' \/ PaidSince w' w'' k) ->
  Stands w w'' k d \/ PaidSince w w'' k.
Proof.
  intros w w' w'' k d [(O & d1 & D1 & L1 & V1 & S1)|(l & N & O)] (l' & O') H.
  - destruct (H d1 D1) as [(O2 & d2 & D2 & L2 & V2 & S2)|(l2 & N2 & O2)].
    + left. split; [ congruence |]. exists d2. repeat split; [ exact D2 | lia | lia | auto ].
    + right. exists l2. split; [ exact N2 | congruence ].
  - right. exists (l' ++ l). rewrite O', O, app_assoc. split; [| reflexivity ].
    intros X. apply app_eq_nil in X. tauto.
Qed.

Lemma chain_grows : forall g w w', Chain g w w' -> forall k, exists l, outs w' k = l ++ outs w k.
Proof.
  induction 1 as [w|w w' w'' N E C IH]; intros k; [ exists []; reflexivity |].
  destruct (effect_outs_grow _ _ _ _ (E k)) as [l L]. destruct (IH k) as [l' L'].
  exists (l' ++ l). rewrite L', L. apply app_assoc.
Qed.

Lemma chain_stands_or_pays : forall g w w', Chain g w w' -> forall k d, disputes w k = Some d ->
  Stands w w' k d \/ PaidSince w w' k.
Proof.
  induction 1 as [w|w w' w'' N E C IH]; intros k d D.
  - left. split; [ reflexivity |]. exists d. repeat split; auto. lia.
  - eapply stands_or_pays_on; [ exact (effect_stands_or_pays _ _ _ _ _ (E k) D) | |].
    + exact (chain_grows _ _ _ C k).
    + apply IH.
Qed.

Lemma steps_stand_or_pay : forall x y, Steps self x y ->
  (forall k, exists l, outs (fst y) k = l ++ outs (fst x) k)
  /\ forall k d, disputes (fst x) k = Some d ->
     Stands (fst x) (fst y) k d \/ PaidSince (fst x) (fst y) k.
Proof.
  induction 1 as [x|x y z S [G IH] St].
  - split; [ exists []; reflexivity |]. intros k d D. left. split; [ reflexivity |].
    exists d. repeat split; auto. lia.
  - assert (One : (forall k, exists l, outs (fst z) k = l ++ outs (fst y) k)
      /\ forall k d, disputes (fst y) k = Some d ->
         Stands (fst y) (fst z) k d \/ PaidSince (fst y) (fst z) k).
    { destruct St; simpl fst;
        try (split; [ intros k0; exists []; reflexivity |]; intros k0 d0 D0; left;
             split; [ reflexivity |]; exists d0; repeat split; auto; lia).
      match goal with H : run _ _ _ _ _ _ = _, Hs : Forall _ _ |- _ =>
        destruct (run_effects self _ _ _ _ _ _ _ Hs H) as [C _] end.
      split; [ exact (chain_grows _ _ _ C) | exact (chain_stands_or_pays _ _ _ C) ]. }
    destruct One as [G1 One]. split.
    + intros k. destruct (G k) as [l L], (G1 k) as [l' L']. exists (l' ++ l).
      rewrite L', L. apply app_assoc.
    + intros k d D. eapply stands_or_pays_on; [ exact (IH k d D) | exact (G1 k) | apply One ].
Qed.

(** Whoever has opened a dispute leaves by its deadline, [now + challenge] at the opening, whatever
    everybody else does in between: once it is over the channel has been paid out (by both, or by
    somebody's [settle]), or anybody's one call pays all free money; and all of it, the channel gone,
    once the expiries of what was registered are over. *)
Theorem leaving_has_a_bound : forall w g w' g' c d o, reachable self w g ->
  Steps self (w, g) (w', g') -> disputes w (key c) = Some d -> settling d = false ->
  deadline d < now w' ->
  PaidSince w w' (key c)
  \/ exists d' w'', disputes w' (key c) = Some d' /\ deadline d' = deadline d
     /\ version d <= version d'
     /\ settle w' o c (registered_net d') (registered_nanos d') = Done w''
     /\ (exists p, payouts w'' = p :: payouts w' /\ of_channel p = c
          /\ free_of_alice (funds w' (key c)) (registered_net d') (registered_nanos d')
             <= alice_paid p
          /\ free_of_bob (funds w' (key c)) (registered_net d') (registered_nanos d')
             <= bob_paid p)
     /\ ((forall n, In n (registered_nanos d') -> expiry n < now w') ->
         funds w'' (key c) = nothing /\ disputes w'' (key c) = None
         /\ paid w'' (key c) = deposited w'' (key c)).
Proof.
  intros w g w' g' c d o R S D Se T.
  destruct (proj2 (steps_stand_or_pay _ _ S) (key c) d D) as [(O & d' & D' & L & V & Se')|P];
    [ right | left; exact P ].
  simpl in *. assert (R' : reachable self w' g').
  { unfold reachable in *. clear - R S. remember (w', g') as y eqn:Ey. clear Ey.
    induction S as [|x y z S IH St]; [ exact R | eapply more; [ apply IH; exact R | exact St ] ]. }
  destruct (guaranteed_closing self w' g' c d' o R' D' ltac:(lia)) as (w'' & E & F & A).
  exists d', w''. repeat split; try assumption; [ apply F, Se', Se | apply A, H .. ].
Qed.

End Calls.
