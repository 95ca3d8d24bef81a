(** What the chain guarantees, in words of money (protocol, section 7).

    Each theorem holds in every world that [reachable] allows, so against everybody else at once:
    other parties, miners, tokens, payees and nanocontracts that answer as they like. *)

From Perun Require Export Effects.

Section Theorems.
Variable self : Address.

(** ** P1. Conservation *)

(** The balance covers all holdings and all credits of an asset, whichever one adds up. *)
Theorem conservation : forall w g, reachable self w g ->
  forall a ids accounts, NoDup ids -> NoDup accounts ->
  sum (fun id => total (funds w (a, id))) ids + sum (fun p => credits w (a, p)) accounts
  <= balance w a.
Proof.
  intros w g R a ids ps Hi Hp.
  pose proof (s_covered _ _ _ _ _ _ (always_sound self w g R a (a, no_channel 0)) ids ps Hi Hp).
  lia.
Qed.

(** A channel never pays out more than was deposited in it; what it has not paid is still there. *)
Theorem a_channel_pays_what_came_in : forall w g, reachable self w g ->
  forall k, paid w k + total (funds w k) = deposited w k /\ paid w k <= deposited w k.
Proof.
  intros w g R k. pose proof (always_sound self w g R ETH k) as S.
  pose proof (s_account _ _ _ _ _ _ S k) as A. pose proof (s_totals _ _ _ _ _ _ S k).
  destruct (Key_eq_dec k k); lia.
Qed.

(** ** P3. Nothing unsigned *)

(** Every payout of a channel that ever was, whoever caused it: each side got what it held, less
    what both had said it gave, less what stays locked and less what nanocontracts took, each of
    them listed in a state that both said, and each within the lock that both said. *)
Theorem nothing_unsigned : forall w g, reachable self w g ->
  forall p, In p (payouts w) -> PayoutSound w g p.
Proof.
  intros w g R p Hp.
  exact (s_payouts _ _ _ _ _ _ (always_sound self w g R ETH (ETH, no_channel 0)) p Hp).
Qed.

(** Holdings of a channel fall by nothing but a payout of that channel, or a [Withdraw] of those
    very amounts that both have said. *)
Theorem holdings_fall_by_word : forall w w' g k, Effect w w' g k ->
  total (funds w' k) < total (funds w k) ->
  (exists p, k = key (of_channel p) /\ payouts w' = p :: payouts w)
  \/ (exists c index x y until, k = key c
      /\ both_said w' g c (Withdraw (id_of c) index x y until)
      /\ of_alice (funds w' k) = of_alice (funds w k) - x
      /\ of_bob (funds w' k) = of_bob (funds w k) - y).
Proof.
  intros w w' g k E H. destruct E as
    [_ F _|_ _ _ A B _|c index x y until _ K _ _ _ _ Said _ A B|c d' _ _ F _ _ _ _
    |p K P|p d K P].
  - rewrite F in H. lia.
  - unfold total in H. lia.
  - right. exists c, index, x, y, until. repeat split; try assumption; apply Said.
  - rewrite F in H. lia.
  - left. exists p. split; assumption.
  - left. exists p. split; assumption.
Qed.

(** Credit falls by its owner's own [claim], or by an [Open] that its owner has signed. *)
Theorem credit_falls_by_word : forall w g o caller value call w' a account,
  sound w g -> Forall (has g) (signatures_of call) ->
  run self w o caller value call = Done w' ->
  credits w' (a, account) < credits w (a, account) ->
  (exists amount to, call = call_claim a amount to /\ caller = account)
  \/ (exists c x y until, In (account, Open (id_of c) x y until) g /\ a = asset c
      /\ (account = alice c \/ account = bob c)).
Proof.
  intros w g o caller value call w' a account S Hs H Lt. unfold run in H.
  destruct (fits call) eqn:F; [| discriminate ].
  assert (Give : forall w1 a1 p1 n q, credit_fits w1 -> 0 <= n ->
    credits w1 q <= credits (give_credit w1 a1 p1 n) q).
  { intros w1 a1 p1 n q Fit Hn. unfold give_credit. simpl. unfold update.
    pose proof (Fit (a1, p1)). destruct (Purse_eq_dec (a1, p1) q); subst; lia. }
  assert (Pay : forall w1 o1 k1 to n cr q, credit_fits w1 -> 0 <= n ->
    credits w1 q <= credits (pay w1 o1 k1 to n cr) q).
  { intros. unfold pay. destruct (n =? 0); [ lia |]. destruct (cr || _); [| simpl; lia ].
    apply (Give (with_paid w1 k1 (paid w1 k1 + n))); assumption. }
  assert (PayOut : forall w1 o1 p tc q, credit_fits w1 -> 0 <= alice_paid p -> 0 <= bob_paid p ->
    credits w1 q <= credits (pay_out w1 o1 p tc) q).
  { intros w1 o1 p tc q Fit Na Nb. unfold pay_out.
    eapply Z.le_trans; [| apply Pay; [ apply pay_credit_fits; assumption | exact Nb ] ].
    apply (Pay (with_payout w1 p)); assumption. }
  assert (Fit := s_credits _ _ _ _ _ _ (S ETH (ETH, no_channel 0))).
  assert (Raise : forall w1 k ta tb dr w2, raise_sides w1 k ta tb dr = Done w2 ->
    credits w2 = credits w1).
  { intros w1 k ta tb dr w2 R. unfold raise_sides in R. taken R; subst. reflexivity. }
  assert (Dep : forall k tb n w2, 0 <= n -> deposit_into w o value k tb n = Done w2 ->
    credits w2 = credits w).
  { intros k tb n w2 Hn D. unfold deposit_into in D.
    destruct (pull w o value (fst k) n) as [[w1 m]|] eqn:E; [| discriminate ]. cbn [bind] in D.
    destruct (disputes w1 k); [ discriminate |]. apply Raise in D.
    destruct (pull_keeps _ _ _ _ _ _ _ Hn E) as (_ & _ & _ & _ & _ & C & _). congruence. }
  assert (Settle : forall w1 c net nanos w2, sound w1 g -> settle w1 o c net nanos = Done w2 ->
    forall q, credits w1 q <= credits w2 q).
  { intros w1 c net nanos w2 S1 E q.
    assert (S2 := settle_sound w1 g o c net nanos w2 S1 E).
    unfold settle in E. destruct (disputes w1 (key c)) as [d|] eqn:D; [| discriminate ].
    destruct (deadline d <? now w1); [| discriminate ].
    destruct (_ && _) in E; [| discriminate ].
    destruct (answers (now w1) o nanos) as [done waiting] eqn:An.
    destruct (settling d && _); [ injection E as <-; lia |].
    destruct (solvent _ _ _); [| discriminate ]. injection E as <-.
    match goal with |- context [pay_out ?x o ?p 0] => set (w2 := x) in *; set (p0 := p) in * end.
    assert (In p0 (payouts (pay_out w2 o p0 0))) by (rewrite pay_out_payouts; left; reflexivity).
    destruct (p_nonneg _ _ _ (s_payouts _ _ _ _ _ _ (S2 ETH (ETH, no_channel 0)) p0 H0))
      as [Na Nb].
    assert (C2 : credits w2 = credits w1)
      by (unfold w2; destruct (length waiting =? 0)%nat; reflexivity).
    rewrite <- C2. apply PayOut; try assumption.
    unfold credit_fits. rewrite C2. apply (s_credits _ _ _ _ _ _ (S1 ETH (ETH, no_channel 0))). }
  destruct call; simpl in Hs, F;
    try (destruct (value =? 0); [| discriminate ]); numbers;
    repeat match goal with X : uint _ _ = true |- _ => apply uint_nonneg in X end.
  - exfalso. unfold open in H. taken H.
    assert (N : 0 <= amount) by assumption. rewrite (Dep _ _ _ _ N H) in Lt. lia.
  - right. unfold open_both in H.
    set (by_alice := caller =? alice c) in *.
    assert (Ho : (if by_alice then bob c else alice c) = alice c
                 \/ (if by_alice then bob c else alice c) = bob c) by (destruct by_alice; auto).
    set (on := if by_alice then bob c else alice c) in *. clearbody on.
    assert (Hn : 0 <= if by_alice then alice_amount else bob_amount)
      by (destruct by_alice; assumption).
    set (share := if by_alice then alice_amount else bob_amount) in *.
    destruct (by_party c caller); [| discriminate ].
    destruct (now w <=? valid_until); [| discriminate ].
    destruct (valid_until <=? now w + challenge c); [| discriminate ].
    destruct (signed on _ s) eqn:Sg; [| discriminate ].
    destruct (pull w o value (asset c) share) as [[w1 n]|] eqn:E; [| discriminate ].
    cbn [bind] in H. destruct (share <=? n); [| discriminate ].
    destruct (disputes w1 (key c)); [ discriminate |]. destruct (negb _); [| discriminate ].
    destruct (pull_keeps _ _ _ _ _ _ _ Hn E) as (_ & _ & _ & _ & _ & C & _).
    unfold debit in H. destruct (_ <=? credits w1 (asset c, on)) in H; [| discriminate ].
    cbn [bind] in H. apply Raise in H. rewrite H in Lt. simpl in Lt. unfold update in Lt.
    destruct (Purse_eq_dec (asset c, on) (a, account)) as [Q|_]; [| rewrite C in Lt; lia ].
    injection Q as Qa Qo. exists c, alice_amount, bob_amount, valid_until. subst a account.
    split; [| split; [ reflexivity | exact Ho ] ].
    unfold signed, recover in Sg. inversion Hs; subst.
    destruct s as [| |k' m']; try (apply andb_prop in Sg; destruct Sg as [_ Sg]; discriminate Sg).
    destruct (Message_eq_dec _ m') as [<-|_];
      [| apply andb_prop in Sg; destruct Sg as [_ Sg]; discriminate Sg ].
    apply andb_prop in Sg. destruct Sg as [Sg _]. apply Z.eqb_eq in Sg. subst k'. assumption.
  - exfalso. unfold deposit in H. taken H.
    assert (N : 0 <= amount) by assumption. rewrite (Dep _ _ _ _ N H) in Lt. lia.
  - exfalso. unfold close in H.
    destruct (negb _); [| discriminate ]. destruct (now w <=? valid_until); [| discriminate ].
    destruct (before_deadline _ _); [| discriminate ].
    destruct (both_agree _ _ _ _ _ _) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
    unfold both_agree in E. taken E. subst w1.
    destruct (solvent _ net []) eqn:V; [| discriminate ]. injection H as <-.
    destruct (solvent_nonneg _ _ _ V) as [Na Nb].
    match goal with X : credits (pay_out ?x o ?p ?t) ?q < _ |- _ =>
      assert (credits x q <= credits (pay_out x o p t) q) by (apply PayOut; assumption) end.
    simpl in *. lia.
  - exfalso. unfold withdraw in H.
    destruct (disputes w (key c)); [ discriminate |].
    destruct (now w <=? valid_until); [| discriminate ]. destruct (_ && _) in H; [| discriminate ].
    destruct (both_agree _ _ _ _ _ _) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
    unfold both_agree in E. taken E. subst w1.
    destruct (0 <=? _) in H; [| discriminate ]. injection H as <-.
    match goal with X : credits (pay (pay ?x o ?k ?t ?n false) o ?k ?t' ?n' false) ?q < _ |- _ =>
      assert (credits x q <= credits (pay x o k t n false) q) by (apply Pay; assumption);
      assert (credits (pay x o k t n false) q
              <= credits (pay (pay x o k t n false) o k t' n' false) q)
        by (apply Pay; [ apply pay_credit_fits; assumption | assumption ]) end.
    simpl in *. lia.
  - exfalso. unfold register in H.
    match type of H with bind ?r _ = _ => destruct r as [until|]; [| discriminate ] end.
    cbn [bind] in H.
    assert (X : forall w2, check_state w c caller v net nanos by_alice by_bob = Done w2 ->
      credits w2 = credits w).
    { intros w2 C. inversion Hs; subst.
      match goal with Y : Forall _ [by_bob] |- _ => inversion Y; subst end.
      destruct (check_state_sound w g c caller v net nanos by_alice by_bob w2) as ([->|[x ->]] & _);
        try assumption; reflexivity. }
    destruct (disputes w (key c)).
    + destruct (v <=? version d).
      * taken H. subst. lia.
      * destruct (check_state _ _ _ _ _ _ _ _) as [w2|] eqn:C; [| discriminate ].
        specialize (X w2 eq_refl). taken H. subst. simpl in Lt. rewrite X in Lt. lia.
    + destruct (check_state _ _ _ _ _ _ _ _) as [w2|] eqn:C; [| discriminate ].
      specialize (X w2 eq_refl). taken H. subst. simpl in Lt. rewrite X in Lt. lia.
  - exfalso. pose proof (Settle w c net nanos w' S H (a, account)). lia.
  - exfalso. clear F Hs. assert (X : credits w (a, account) <= credits w' (a, account)); [| lia ].
    clear Lt. clear Dep Fit. revert w S H.
    induction items as [|[[c net] nanos] rest IH]; intros w S H; simpl in H.
    + injection H as <-. lia.
    + destruct (settle w o c net nanos) as [w1|why] eqn:E.
      * eapply Z.le_trans; [ exact (Settle w c net nanos w1 S E (a, account)) |].
        apply IH; [ exact (settle_sound _ _ _ _ _ _ _ S E) | exact H ].
      * destruct why; try discriminate H; exact (IH w S H).
  - exfalso. unfold fund in H. destruct (negb _); [| discriminate ].
    destruct (pull w o value a0 amount) as [[w1 n]|] eqn:E; [| discriminate ]. cbn [bind] in H.
    injection H as <-. destruct (pull_keeps w o value a0 amount w1 n)
      as (Hn & _ & _ & _ & _ & C & _); try assumption.
    assert (credits w1 (a, account) <= credits (give_credit w1 a0 account0 n) (a, account))
      by (apply Give; [ unfold credit_fits; rewrite C; exact Fit | exact Hn ]).
    rewrite C in *. lia.
  - left. unfold claim in H. destruct (negb _); [| discriminate ].
    unfold debit in H. destruct (amount <=? _); [| discriminate ]. cbn [bind] in H.
    assert (X : credits w' = credits (with_credit w (a0, caller) (credits w (a0, caller) - amount)))
      by (taken H; subst; reflexivity).
    rewrite X in Lt. simpl in Lt. unfold update in Lt.
    destruct (Purse_eq_dec (a0, caller) (a, account)) as [Q|_]; [| lia ].
    injection Q as -> ->. exists amount, to. split; reflexivity.
Qed.

(** ** P7. Isolation *)

(** A call changes the money and the dispute of no channel that it does not name. *)
Theorem isolation : forall w g o caller value call w',
  Forall (has g) (signatures_of call) -> run self w o caller value call = Done w' ->
  forall k, ~ In k (touches call) -> funds w' k = funds w k /\ disputes w' k = disputes w k.
Proof. intros w g o caller value call w' Hs H. exact (proj2 (run_effects self _ _ _ _ _ _ _ Hs H)). Qed.

(** ** P5. Guaranteed closing *)

(** A party whose channel holds something can open a dispute with nothing in its hands. *)
Theorem a_party_can_leave_alone : forall w c caller,
  disputes w (key c) = None -> by_party c caller = true ->
  0 <= of_alice (funds w (key c)) -> 0 <= of_bob (funds w (key c)) ->
  0 < total (funds w (key c)) -> now w + challenge c <= MAX_DEADLINE ->
  exists w', register w caller c 0 0 [] Unsigned Unsigned 0 = Done w'
  /\ disputes w' (key c) = Some {| version := 0; deadline := now w + challenge c;
       registered_net := 0; registered_nanos := []; settling := false |}.
Proof.
  intros w c caller D P A B T L. unfold register. rewrite D. unfold first_deadline. rewrite P.
  cbn [orb]. unfold total in T.
  destruct (of_alice (funds w (key c)) =? 0) eqn:Ea; destruct (of_bob (funds w (key c)) =? 0) eqn:Eb;
    numbers; try lia; cbn [andb negb];
    (rewrite (proj2 (Z.leb_le _ _) L); cbn [bind]; unfold check_state; cbn [bind Z.eqb length
      Nat.eqb andb ascending sum fold_right Nat.leb];
     assert (S : solvent (funds w (key c)) 0 [] = true)
       by (unfold solvent, free_of_alice, free_of_bob; simpl;
           apply andb_true_intro; split; apply Z.leb_le; lia);
     assert (M : (0 <=? MAX_AMOUNT) = true) by reflexivity;
     rewrite M, S; cbn [andb bind];
     eexists; split; [ reflexivity |]; simpl; rewrite update_same; reflexivity).
Qed.

(** A party that holds a state which both signed can open a dispute with it. *)
Theorem a_party_can_leave_with_a_state : forall w c caller v net nanos,
  let m := State (id_of c) v net nanos in
  disputes w (key c) = None -> by_party c caller = true ->
  alice_key c <> ZERO_ADDRESS -> bob_key c <> ZERO_ADDRESS -> v <> 0 ->
  (length nanos <= MAX_NANOS)%nat -> ascending nanos = true ->
  sum alice_lock nanos <= MAX_AMOUNT -> sum bob_lock nanos <= MAX_AMOUNT ->
  solvent (funds w (key c)) net nanos = true ->
  0 < total (funds w (key c)) -> now w + challenge c <= MAX_DEADLINE ->
  exists w', register w caller c v net nanos (Signed (alice_key c) m) (Signed (bob_key c) m) 0
             = Done w'
  /\ disputes w' (key c) = Some {| version := v; deadline := now w + challenge c;
       registered_net := net; registered_nanos := nanos; settling := false |}.
Proof.
  intros w c caller v net nanos m D P Ka Kb V Len Asc Sa Sb Sol T L.
  unfold register. rewrite D. unfold first_deadline. rewrite P. cbn [orb].
  assert (E : ((of_alice (funds w (key c)) =? 0) && (of_bob (funds w (key c)) =? 0))%bool = false).
  { unfold total in T. apply andb_false_iff.
    destruct (of_alice (funds w (key c)) =? 0) eqn:Ea; [| left; reflexivity ].
    right. numbers. apply Z.eqb_neq. lia. }
  rewrite E. cbn [negb]. rewrite (proj2 (Z.leb_le _ _) L). cbn [bind].
  unfold check_state. rewrite (proj2 (Z.eqb_neq _ _) V).
  unfold both_agree, agrees, signed, recover. cbn [given orb].
  fold m. destruct (Message_eq_dec m m) as [_|X]; [| congruence ].
  rewrite !Z.eqb_refl, (proj2 (Z.eqb_neq _ _) Ka), (proj2 (Z.eqb_neq _ _) Kb).
  cbn [negb andb bind]. rewrite (proj2 (Nat.leb_le _ _) Len), Asc,
    (proj2 (Z.leb_le _ _) Sa), (proj2 (Z.leb_le _ _) Sb). cbn [andb].
  simpl funds. rewrite Sol. cbn [bind Nat.leb].
  eexists. split; [ reflexivity |]. simpl. apply update_same.
Qed.

(** A dispute's clock starts once and never moves: while the channel is in it, its deadline stays,
    whoever does what, and its version never falls. *)
Theorem the_clock_never_moves : forall w w' g k d d', Effect w w' g k ->
  disputes w k = Some d -> disputes w' k = Some d' ->
  deadline d' = deadline d /\ version d <= version d'.
Proof.
  intros w w' g k d d' E D D'. destruct E as
    [_ F N|_ N|c index x y until _ K _ _ N|c e _ K F N _ _ M|p K P V R B F N
    |p e K P N T V B Ne S _ N']; try congruence.
  - assert (d = d') by congruence. subst. lia.
  - rewrite D in M. assert (e = d') by congruence. subst. lia.
  - destruct N' as [[N' _]|(d1 & N' & _ & V' & L & _)]; [ congruence |].
    assert (d1 = d') by congruence. assert (e = d) by congruence. subst. lia.
Qed.

Lemma answers_after_expiry : forall t o nanos,
  (forall n, In n nanos -> expiry n < t) ->
  exists done, answers t o nanos = (done, []) /\ length done = length nanos.
Proof.
  induction nanos as [|n rest IH]; intros H; simpl.
  - exists []. split; reflexivity.
  - destruct IH as (d & E & L); [ intros m Hm; apply H; right; exact Hm |]. rewrite E.
    assert (X : exists r, resolve t o n = Some r).
    { unfold resolve. pose proof (H n (or_introl eq_refl)) as Y. apply Z.ltb_lt in Y. rewrite Y.
      destruct (outcome o n); [ destruct (_ && _) |]; eexists; reflexivity. }
    destruct X as [r R]. rewrite R. exists (r :: d). simpl. rewrite L. split; reflexivity.
Qed.

(** Once a dispute's deadline is over, anybody can have it settled, whatever tokens, payees and
    nanocontracts do: free money is paid at once, and once all its nanos' expiries are over as
    well, all of it, and the channel is gone. *)
Theorem guaranteed_closing : forall w g c d o, reachable self w g ->
  disputes w (key c) = Some d -> deadline d < now w ->
  exists w', settle w o c (registered_net d) (registered_nanos d) = Done w'
  /\ (settling d = false -> exists p, payouts w' = p :: payouts w /\ of_channel p = c
        /\ free_of_alice (funds w (key c)) (registered_net d) (registered_nanos d)
           <= alice_paid p
        /\ free_of_bob (funds w (key c)) (registered_net d) (registered_nanos d) <= bob_paid p)
  /\ ((forall n, In n (registered_nanos d) -> expiry n < now w) ->
      funds w' (key c) = nothing /\ disputes w' (key c) = None
      /\ paid w' (key c) = deposited w' (key c)).
Proof.
  intros w g c d o R D T.
  pose proof (always_sound self w g R) as S.
  pose proof (s_disputes _ _ _ _ _ _ (S ETH (key c)) _ _ D) as [_ V L Z].
  assert (Ex : exists w', settle w o c (registered_net d) (registered_nanos d) = Done w').
  { unfold settle. rewrite D, (proj2 (Z.ltb_lt _ _) T), Z.eqb_refl.
    destruct (list_eq_dec _ _ _) as [_|X]; [| congruence ]. cbn [andb].
    destruct (answers _ _ _) as [done waiting]. destruct (settling d && _);
      [ eexists; reflexivity |]. rewrite V. eexists. reflexivity. }
  destruct Ex as [w' E]. exists w'. split; [ exact E |].
  pose proof (settle_sound _ _ _ _ _ _ _ S E) as S'.
  unfold settle in E. rewrite D, (proj2 (Z.ltb_lt _ _) T), Z.eqb_refl in E.
  destruct (list_eq_dec _ _ _) as [_|X]; [| congruence ]. cbn [andb] in E.
  destruct (answers (now w) o (registered_nanos d)) as [done waiting] eqn:An.
  destruct (answers_add_up _ _ _ _ _ L An) as [_ _ _ _ B].
  destruct (to_alice_nonneg _ B) as [Ra Rb]. split.
  - intros Sd. rewrite Sd in E. cbn [andb] in E. rewrite V in E. injection E as <-.
    eexists. split; [ rewrite pay_out_payouts; destruct (length waiting =? 0)%nat; reflexivity |].
    simpl. split; [ reflexivity | lia ].
  - intros Over. destruct (answers_after_expiry (now w) o (registered_nanos d) Over)
      as (done' & An' & Len). rewrite An in An'. injection An' as <- ->.
    assert (NotIdle : settling d && (length done =? 0)%nat = false).
    { destruct (settling d) eqn:Sd; [| reflexivity ]. cbn [andb]. apply Nat.eqb_neq. rewrite Len.
      destruct Z as (_ & _ & _ & Ne); [ reflexivity |].
      destruct (registered_nanos d); [ congruence | discriminate ]. }
    rewrite NotIdle, V in E. injection E as <-. cbn [length Nat.eqb] in *.
    rewrite pay_out_funds, pay_out_disputes. simpl. rewrite !update_same.
    split; [ reflexivity |]. split; [ reflexivity |].
    match goal with |- paid ?x (key c) = _ =>
      pose proof (s_account _ _ _ _ _ _ (S' ETH (key c)) (key c)) as A end.
    rewrite pay_out_funds in A. simpl in A. rewrite update_same in A.
    change (total nothing) with 0 in A.
    match type of A with _ = _ + 0 + ?z => replace z with 0 in A
      by (destruct (Key_eq_dec (key c) (key c)); reflexivity) end.
    lia.
Qed.

(** ** P10. No race *)

(** What is true of a disputed channel however many calls of others come in between: until its
    deadline it is still in that dispute, with the same money, unless both have closed it. *)
Definition StillDisputed (w : World) (k : Key) (d : Dispute) (w' : World) : Prop :=
  exists d', disputes w' k = Some d' /\ deadline d' = deadline d /\ version d <= version d'
             /\ funds w' k = funds w k.

Definition ClosedByBoth (w' : World) (g' : Given) (k : Key) : Prop :=
  exists c net until to_credit, k = key c
    /\ both_said w' g' c (Close (id_of c) net until to_credit).

Lemma effect_until_deadline : forall w w' g k d, Effect w w' g k ->
  disputes w k = Some d -> now w <= deadline d ->
  StillDisputed w k d w' \/ ClosedByBoth w' g k.
Proof.
  intros w w' g k d E D T. destruct E; try congruence.
  - left. exists d. repeat split; try congruence. lia.
  - rewrite D in *. left. exists d'. repeat split; try tauto; lia.
  - right. destruct H7 as (until & tc & _ & B). exists (of_channel p), (payout_net p), until, tc.
    split; assumption.
  - assert (d0 = d) by congruence. subst. lia.
Qed.

Lemma closed_more : forall w w' g g' k, incl (sent w) (sent w') -> incl g g' ->
  ClosedByBoth w g k -> ClosedByBoth w' g' k.
Proof.
  intros w w' g g' k S G (c & net & until & tc & K & [A B]).
  exists c, net, until, tc. split; [ exact K |].
  assert (M : forall account key m, said w g account key m -> said w' g' account key m)
    by (intros ? ? ? [X|[X|X]]; [ left | right; left | right; right ]; auto).
  split; apply M; assumption.
Qed.

Lemma still_trans : forall w w' w'' k d, StillDisputed w k d w' ->
  (forall d', disputes w' k = Some d' -> StillDisputed w' k d' w'') -> StillDisputed w k d w''.
Proof.
  intros w w' w'' k d (d' & D & L & V & F) H.
  destruct (H d' D) as (d'' & D'' & L'' & V'' & F''). exists d''. repeat split; try congruence; lia.
Qed.

Lemma chain_until_deadline : forall g w w', Chain g w w' -> forall k d,
  disputes w k = Some d -> now w <= deadline d ->
  incl (sent w) (sent w') /\ (StillDisputed w k d w' \/ ClosedByBoth w' g k).
Proof.
  induction 1 as [w|w w' w'' [N I] E C IH]; intros k d D T.
  - split; [ apply incl_refl |]. left. exists d. repeat split; auto. lia.
  - assert (Next : forall k0 d0, disputes w' k0 = Some d0 -> now w' <= deadline d0 ->
      incl (sent w') (sent w'')) by (intros k0 d0 D0 T0; apply (IH k0 d0 D0 T0)).
    destruct (effect_until_deadline _ _ _ _ _ (E k) D T) as [St|Cl].
    + destruct St as (d' & D' & L' & V' & F').
      destruct (IH k d' D' ltac:(lia)) as [I' [St|Cl]].
      * split; [ eapply incl_tran; eassumption |]. left.
        eapply still_trans; [ exact (ex_intro _ d' (conj D' (conj L' (conj V' F')))) |].
        intros d'' D''. assert (d'' = d') by congruence. subst. exact St.
      * split; [ eapply incl_tran; eassumption | right; exact Cl ].
    + assert (I' : incl (sent w') (sent w'')) by (clear - C; induction C as [|a b e [? ?] ? ? ?];
        [ apply incl_refl | eapply incl_tran; eassumption ]).
      split; [ eapply incl_tran; eassumption |]. right.
      eapply closed_more; [ exact I' | apply incl_refl | exact Cl ].
Qed.

Lemma chain_now : forall g w w', Chain g w w' -> now w' = now w /\ incl (sent w) (sent w').
Proof.
  induction 1 as [w|w w' w'' [N I] E C [N' I']]; [ split; [ reflexivity | apply incl_refl ] |].
  split; [ congruence | eapply incl_tran; eassumption ].
Qed.

Lemma steps_keep : forall x y, Steps self x y ->
  now (fst x) <= now (fst y) /\ incl (sent (fst x)) (sent (fst y)) /\ incl (snd x) (snd y).
Proof.
  induction 1 as [x|x y z S IH St]; [ split; [ lia | split; apply incl_refl ] |].
  destruct IH as (N & I & G). destruct St; simpl in *; try (split; [ lia | split; auto ]).
  - intros q Hq. right. apply G. exact Hq.
  - match goal with H : run _ _ _ _ _ _ = _, Hs : Forall _ _ |- _ =>
      destruct (chain_now _ _ _ (proj1 (run_effects self _ _ _ _ _ _ _ Hs H))) as [N' I'] end.
    split; [ lia | split; [ eapply incl_tran; eassumption | exact G ] ].
Qed.

Theorem a_dispute_stands : forall x y, Steps self x y -> forall k d,
  disputes (fst x) k = Some d -> now (fst y) <= deadline d ->
  StillDisputed (fst x) k d (fst y) \/ ClosedByBoth (fst y) (snd y) k.
Proof.
  induction 1 as [x|x y z S IH St]; intros k d D T.
  - left. exists d. repeat split; auto. lia.
  - assert (Keep : now (fst y) <= now (fst z) /\ incl (sent (fst y)) (sent (fst z))
                   /\ incl (snd y) (snd z))
      by (apply steps_keep; eapply more; [ apply none | exact St ]).
    destruct Keep as (N & I & G).
    destruct (IH k d D ltac:(lia)) as [Still|Cl];
      [| right; exact (closed_more _ _ _ _ _ I G Cl) ].
    destruct Still as (d' & D' & L' & V' & F').
    assert (Y : StillDisputed (fst y) k d' (fst z) \/ ClosedByBoth (fst z) (snd z) k).
    { destruct St; simpl in *; try (left; exists d'; repeat split; auto; lia).
      match goal with H : run _ _ _ _ _ _ = _, Hs : Forall _ _ |- _ =>
        exact (proj2 (chain_until_deadline _ _ _ (proj1 (run_effects self _ _ _ _ _ _ _ Hs H))
                 k d' D' ltac:(lia))) end. }
    destruct Y as [Y|Y]; [ left | right; exact Y ].
    eapply still_trans; [ exact (ex_intro _ d' (conj D' (conj L' (conj V' F')))) |].
    intros d'' D''. assert (d'' = d') by congruence. subst. exact Y.
Qed.

Lemma an_answer_is_taken : forall w c d v net nanos caller evidence,
  let m := State (id_of c) v net nanos in
  disputes w (key c) = Some d -> now w <= deadline d ->
  alice_key c <> ZERO_ADDRESS -> bob_key c <> ZERO_ADDRESS -> v <> 0 ->
  (length nanos <= MAX_NANOS)%nat -> ascending nanos = true ->
  sum alice_lock nanos <= MAX_AMOUNT -> sum bob_lock nanos <= MAX_AMOUNT ->
  solvent (funds w (key c)) net nanos = true -> (evidence <= length nanos)%nat ->
  exists w', register w caller c v net nanos
                (Signed (alice_key c) m) (Signed (bob_key c) m) evidence = Done w'
  /\ exists d', disputes w' (key c) = Some d' /\ v <= version d' /\ deadline d' = deadline d.
Proof.
  intros w c d v net nanos caller evidence m D T Ka Kb V Len Asc Sa Sb Sol Ev.
  unfold register. rewrite D, (proj2 (Z.leb_le _ _) T). cbn [bind].
  destruct (v <=? version d) eqn:Old.
  - cbn [bind]. rewrite (proj2 (Nat.leb_le _ _) Ev). numbers. eexists. split; [ reflexivity |].
    exists d. repeat split; assumption.
  - unfold check_state. rewrite (proj2 (Z.eqb_neq _ _) V).
    unfold both_agree, agrees, signed, recover. cbn [given orb]. fold m.
    destruct (Message_eq_dec m m) as [_|X]; [| congruence ].
    rewrite !Z.eqb_refl, (proj2 (Z.eqb_neq _ _) Ka), (proj2 (Z.eqb_neq _ _) Kb).
    cbn [negb andb bind]. rewrite (proj2 (Nat.leb_le _ _) Len), Asc,
      (proj2 (Z.leb_le _ _) Sa), (proj2 (Z.leb_le _ _) Sb). cbn [andb].
    simpl funds. rewrite Sol. cbn [bind]. rewrite (proj2 (Nat.leb_le _ _) Ev).
    eexists. split; [ reflexivity |]. simpl. rewrite update_same. eexists.
    split; [ reflexivity |]. simpl. split; [ lia | reflexivity ].
Qed.

(** An answer to a dispute that could be given at some time can be given until the deadline,
    whatever transactions of anybody come before it, in whatever order: it succeeds, and what
    counts afterwards is at least as new.  The one exception: both have said a [Close]. *)
Theorem no_race : forall w g w' g' c d v net nanos caller evidence,
  let m := State (id_of c) v net nanos in
  Steps self (w, g) (w', g') ->
  disputes w (key c) = Some d -> now w' <= deadline d ->
  alice_key c <> ZERO_ADDRESS -> bob_key c <> ZERO_ADDRESS -> v <> 0 ->
  (length nanos <= MAX_NANOS)%nat -> ascending nanos = true ->
  sum alice_lock nanos <= MAX_AMOUNT -> sum bob_lock nanos <= MAX_AMOUNT ->
  solvent (funds w (key c)) net nanos = true -> (evidence <= length nanos)%nat ->
  ClosedByBoth w' g' (key c) \/
  exists w'', register w' caller c v net nanos
                (Signed (alice_key c) m) (Signed (bob_key c) m) evidence = Done w''
  /\ exists d'', disputes w'' (key c) = Some d'' /\ v <= version d''
                 /\ deadline d'' = deadline d.
Proof.
  intros w g w' g' c d v net nanos caller evidence m St D T Ka Kb V Len Asc Sa Sb Sol Ev.
  destruct (a_dispute_stands _ _ St (key c) d D T) as [Still|Cl]; [ right | left; exact Cl ].
  simpl in Still. destruct Still as (d' & D' & L & V' & F).
  destruct (an_answer_is_taken w' c d' v net nanos caller evidence) as (w'' & R & d'' & D'' & X & Y);
    try assumption; [ lia | rewrite F; exact Sol |].
  exists w''. split; [ exact R |]. exists d''. repeat split; try assumption. congruence.
Qed.

End Theorems.
