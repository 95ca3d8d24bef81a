(** What the contract owes is there (P1), and the steps by which money moves. *)

From Perun Require Export Trace Sums.

Definition total (f : Funds) : Z := of_alice f + of_bob f.

(** The balance in [a] covers any channels and any credits one cares to add up, and [spare]
    besides.  "Any list without repetition" says "all of them" without naming them. *)
Definition covered (w : World) (a : Asset) (spare : Z) : Prop :=
  forall (ids : list ChannelId) (accounts : list Address),
    NoDup ids -> NoDup accounts ->
    sum (fun id => total (funds w (a, id))) ids
    + sum (fun p => credits w (a, p)) accounts + spare <= balance w a.

Definition credit_fits (w : World) : Prop := forall p, 0 <= credits w p <= MOST_CREDIT.
Definition totals_fit (w : World) : Prop := forall k, 0 <= total (funds w k).

Lemma covered_same : forall w w' a s,
  (forall id, funds w' (a, id) = funds w (a, id)) ->
  (forall p, credits w' (a, p) = credits w (a, p)) ->
  balance w' a = balance w a -> covered w a s -> covered w' a s.
Proof.
  intros w w' a s Hf Hc Hb H ids ps Hi Hp. specialize (H ids ps Hi Hp). rewrite Hb.
  rewrite (sum_ext _ _ (fun id => total (funds w (a, id)))) by (intros; rewrite Hf; reflexivity).
  rewrite (sum_ext _ _ (fun p => credits w (a, p))) by (intros; apply Hc). exact H.
Qed.

Lemma sum_funds : forall w a k f ids, NoDup ids ->
  sum (fun id => total (funds (with_funds w (a, k) f) (a, id))) ids
  = sum (fun id => total (funds w (a, id))) ids
    + (if in_dec ChannelId_eq_dec k ids then total f - total (funds w (a, k)) else 0).
Proof.
  intros w a k f ids Hd.
  rewrite (sum_one_change _ ChannelId_eq_dec (fun id => total (funds w (a, id))) _ k ids Hd).
  - simpl. rewrite update_same. reflexivity.
  - intros id Hid. simpl. rewrite update_other by congruence. reflexivity.
Qed.

Lemma sum_credits : forall w a p c ps, NoDup ps ->
  sum (fun q => credits (with_credit w (a, p) c) (a, q)) ps
  = sum (fun q => credits w (a, q)) ps
    + (if in_dec Z.eq_dec p ps then c - credits w (a, p) else 0).
Proof.
  intros w a p c ps Hd.
  rewrite (sum_one_change _ Z.eq_dec (fun q => credits w (a, q)) _ p ps Hd).
  - simpl. rewrite update_same. reflexivity.
  - intros q Hq. simpl. rewrite update_other by congruence. reflexivity.
Qed.

Lemma covered_funds_up : forall w a k f s,
  covered w a s -> total (funds w (a, k)) <= total f ->
  covered (with_funds w (a, k) f) a (s - (total f - total (funds w (a, k)))).
Proof.
  intros w a k f s H Hle ids ps Hi Hp. rewrite sum_funds by assumption. simpl.
  specialize (H ids ps Hi Hp). destruct (in_dec ChannelId_eq_dec k ids); lia.
Qed.

Lemma covered_funds_down : forall w a k f s,
  covered w a s -> 0 <= total f <= total (funds w (a, k)) ->
  covered (with_funds w (a, k) f) a (s + (total (funds w (a, k)) - total f)).
Proof.
  intros w a k f s H Hle ids ps Hi Hp. rewrite sum_funds by assumption. simpl.
  destruct (in_dec ChannelId_eq_dec k ids) as [Hin|Hout].
  - specialize (H ids ps Hi Hp). lia.
  - assert (Hk : NoDup (k :: ids)) by (constructor; assumption).
    specialize (H (k :: ids) ps Hk Hp). simpl in H. lia.
Qed.

Lemma covered_credit_up : forall w a p n s,
  covered w a s -> credit_fits w -> 0 <= n ->
  covered (give_credit w a p n) a (s - n).
Proof.
  intros w a p n s H Hc Hn ids ps Hi Hp. unfold give_credit. rewrite sum_credits by assumption.
  simpl. specialize (H ids ps Hi Hp). specialize (Hc (a, p)). destruct (in_dec Z.eq_dec p ps); lia.
Qed.

Lemma covered_credit_down : forall w a p n s,
  covered w a s -> 0 <= n <= credits w (a, p) ->
  covered (with_credit w (a, p) (credits w (a, p) - n)) a (s + n).
Proof.
  intros w a p n s H Hn ids ps Hi Hp. rewrite sum_credits by assumption. simpl.
  destruct (in_dec Z.eq_dec p ps) as [Hin|Hout].
  - specialize (H ids ps Hi Hp). lia.
  - assert (Hk : NoDup (p :: ps)) by (constructor; assumption).
    specialize (H ids (p :: ps) Hi Hk). simpl in H. lia.
Qed.

Lemma covered_balance : forall w a n s,
  covered w a s -> covered (with_balance w a (balance w a + n)) a (s + n).
Proof.
  intros w a n s H ids ps Hi Hp. specialize (H ids ps Hi Hp). simpl. rewrite update_same. lia.
Qed.

Lemma covered_less : forall w a s s', covered w a s -> s' <= s -> covered w a s'.
Proof. intros w a s s' H Hle ids ps Hi Hp. specialize (H ids ps Hi Hp). lia. Qed.

(** ** What each step of money leaves as it was *)

Lemma give_credit_fits : forall w a p n,
  credit_fits w -> 0 <= n -> credit_fits (give_credit w a p n).
Proof.
  intros w a p n H Hn q. unfold give_credit. simpl. unfold update.
  pose proof (H (a, p)). pose proof (H q). destruct (Purse_eq_dec (a, p) q); lia.
Qed.

Lemma pay_keeps : forall w o k to amount cr, let w' := pay w o k to amount cr in
  now w' = now w /\ funds w' = funds w /\ disputes w' = disputes w
  /\ deposited w' = deposited w /\ payouts w' = payouts w /\ sent w' = sent w.
Proof.
  intros. unfold w', pay, give_credit. destruct (amount =? 0); [ repeat split |].
  destruct (cr || negb (delivers o to)); repeat split.
Qed.

Lemma pay_paid : forall w o k to amount cr k',
  paid (pay w o k to amount cr) k' = paid w k' + (if Key_eq_dec k k' then amount else 0).
Proof.
  intros. unfold pay, give_credit. destruct (amount =? 0) eqn:E; numbers.
  - subst. destruct (Key_eq_dec k k'); lia.
  - destruct (cr || negb (delivers o to)); simpl; unfold update;
      destruct (Key_eq_dec k k'); subst; lia.
Qed.

Lemma pay_credit_fits : forall w o k to amount cr,
  credit_fits w -> 0 <= amount -> credit_fits (pay w o k to amount cr).
Proof.
  intros. unfold pay. destruct (amount =? 0); [ assumption |].
  destruct (cr || negb (delivers o to)).
  - apply give_credit_fits; assumption.
  - assumption.
Qed.

Lemma pay_covered : forall w o k to amount cr s,
  credit_fits w -> covered w (fst k) s -> 0 <= amount ->
  covered (pay w o k to amount cr) (fst k) (s - amount).
Proof.
  intros w o k to amount cr s Hc H Hn. unfold pay. destruct (amount =? 0) eqn:E; numbers.
  - subst. replace (s - 0) with s by lia. exact H.
  - destruct (cr || negb (delivers o to)).
    + apply covered_credit_up; assumption.
    + replace (balance (with_paid w k (paid w k + amount)) (fst k) - amount)
        with (balance (with_paid w k (paid w k + amount)) (fst k) + - amount) by lia.
      apply (covered_balance _ _ (- amount) s). exact H.
Qed.

(** What happens in one asset changes nothing in another. *)
Definition other_asset_kept (w w' : World) (a : Asset) : Prop :=
  balance w' a = balance w a /\ (forall id, funds w' (a, id) = funds w (a, id))
  /\ (forall id, disputes w' (a, id) = disputes w (a, id))
  /\ (forall p, credits w' (a, p) = credits w (a, p)).

Lemma other_asset_trans : forall w w' w'' a,
  other_asset_kept w w' a -> other_asset_kept w' w'' a -> other_asset_kept w w'' a.
Proof.
  intros w w' w'' a (B & F & D & C) (B' & F' & D' & C').
  repeat split; intros; congruence.
Qed.

Lemma other_asset_refl : forall w a, other_asset_kept w w a.
Proof. repeat split. Qed.

Lemma pay_other_asset : forall w o k to amount cr a, fst k <> a ->
  other_asset_kept w (pay w o k to amount cr) a.
Proof.
  intros. unfold pay. destruct (amount =? 0); [ apply other_asset_refl |].
  destruct (cr || negb (delivers o to)); repeat split; simpl; intros;
    try reflexivity; apply update_other; congruence.
Qed.

Lemma covered_other_asset : forall w w' a s,
  other_asset_kept w w' a -> covered w a s -> covered w' a s.
Proof. intros w w' a s (B & F & _ & C) H. eapply covered_same; eassumption. Qed.
