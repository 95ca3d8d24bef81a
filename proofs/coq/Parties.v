(** A party that keeps section 5, against everybody else, over the chain.

    One party, one channel, in either role.  It has a disk and a memory: what it signs it first
    writes, and a crash between any two writes leaves it with the disk alone.  It sees the chain
    only when it looks, so a dispute or a withdrawal may be there for a while before it knows.

    The adversary is everybody else: the other party, who signs anything in any order; whoever
    calls the contract; tokens, payees, nanocontracts; time; and whether a written signature ever
    arrives, how late and how often.  Two things are promised to the party, and both are in
    [passes]: it looks at least every [freshness] seconds, and what it then has to answer is mined
    within [margin].  That the answer is good when it is mined is not promised: it is proved. *)

From Perun Require Export Words.

(** What a state says, beside whose it is. *)
Record Terms := { number : Z; net_of : Z; listed : list Nano }.
Definition beginning : Terms := {| number := 0; net_of := 0; listed := [] |}.
Record CloseOffer := { close_net : Z; close_until : Z; close_credit : Z }.
Record Taking := { take_index : Z; take_alice : Z; take_bob : Z; take_until : Z }.

(** What it keeps of a channel. *)
Record Store := {
  highest : Z;               (** the highest version it has asked its signer for *)
  newest : Terms;            (** the newest state that both have signed *)
  unresolved : list Terms;   (** what it has signed above that *)
  closes : list CloseOffer;  (** Closes it has signed that may be alive *)
  taking : option Taking;    (** a Withdraw it has signed that may be alive *)
  owed : Z                   (** what its user counts as his, in whatever way the channel ends *)
}.

(** What it saw when it looked at the chain. *)
Record View := { seen_funds : Funds; seen_dispute : bool }.

Record Situation := {
  world : World;
  given_ : Given;
  disk : Store;
  memory : Store;
  view : option View;        (** none after a start, until it looks *)
  looked : Z;                (** when it last looked *)
  alarm : bool;              (** whether it saw a dispute then *)
  due : option Z             (** by when an answer that it owes is mined *)
}.

Ltac fields := cbn [highest newest unresolved closes taking owed] in *.

Section Party.
Variable self : Address.
Variable c : Channel.
Variable as_bob : bool.
Variables freshness margin : Z.
Variable worth : Z * list Nano -> Z.  (** what an end of the channel is worth to the user *)

Definition account : Address := if as_bob then bob c else alice c.
Definition my_key : Address := if as_bob then bob_key c else alice_key c.
Definition peer_key : Address := if as_bob then alice_key c else bob_key c.

(** What was agreed before the party put money in ([join-1], [limits-2]). *)
Definition Joined : Prop :=
  alice_key c <> ZERO_ADDRESS /\ bob_key c <> ZERO_ADDRESS /\ 0 <= freshness /\ 0 <= margin
  /\ freshness + margin < challenge c.

Definition state (t : Terms) : Message := State (id_of c) (number t) (net_of t) (listed t).
Definition closing (o : CloseOffer) : Message :=
  Close (id_of c) (close_net o) (close_until o) (close_credit o).
Definition withdrawing (x : Taking) : Message :=
  Withdraw (id_of c) (take_index x) (take_alice x) (take_bob x) (take_until x).

(** How the channel may end by what it has signed: net, and what is listed. *)
Definition way (t : Terms) : Z * list Nano := (net_of t, listed t).
Definition ways (s : Store) : list (Z * list Nano) :=
  map way (newest s :: unresolved s) ++ map (fun o => (close_net o, [])) (closes s).

(** [state-1], [offer-4]: solvent, and also once a live Withdraw is mined. *)
Definition after (f : Funds) (x : Taking) : Funds :=
  {| of_alice := of_alice f - take_alice x; of_bob := of_bob f - take_bob x;
     withdrawals := take_index x + 1; drawn := drawn f |}.
Definition covers (f : Funds) (t : Terms) : Prop := solvent f (net_of t) (listed t) = true.
Definition covers_whatever (f : Funds) (x : option Taking) (t : Terms) : Prop :=
  covers f t /\ forall y, x = Some y -> covers (after f y) t.

(** The party's call that registers a state. *)
Definition registering (t : Terms) : Call :=
  call_register c (number t) (net_of t) (listed t)
    (Signed (alice_key c) (state t)) (Signed (bob_key c) (state t)) 0.
(** [state-3]: [register] would take it. *)
Definition well_formed (t : Terms) : Prop :=
  fits (registering t) = true /\ (length (listed t) <= MAX_NANOS)%nat
  /\ ascending (listed t) = true /\ sum alice_lock (listed t) <= MAX_AMOUNT
  /\ sum bob_lock (listed t) <= MAX_AMOUNT.

(** What may be signed: above all it has signed [sign-1], registrable, solvent, and worth to its
    user what he counts as his [state-4].  Only with a view of the chain: after a start there is
    none until it looks. *)
Record MaySign (v : View) (s : Store) (t : Terms) : Prop := {
  may_rise : highest s < number t;
  may_form : well_formed t;
  may_cover : covers_whatever (seen_funds v) (taking s) t;
  may_be_worth : owed s <= worth (way t)
}.

(** What a turn does to its memory. *)
Inductive Turn (g : Given) (v : View) (s : Store) : Store -> Prop :=
  | proposes : forall t, MaySign v s t ->
      Turn g v s {| highest := number t; newest := newest s; unresolved := t :: unresolved s;
                    closes := closes s; taking := taking s; owed := owed s |}
  | countersigns : forall t, seen_dispute v = false ->  (** [fresh-1] *)
      MaySign v s t -> In (peer_key, state t) g ->
      Turn g v s {| highest := number t; newest := t; unresolved := [];
                    closes := closes s; taking := taking s; owed := owed s |}
  | completes : forall t, seen_dispute v = false -> In t (unresolved s) ->
      In (peer_key, state t) g ->
      Turn g v s {| highest := highest s; newest := t;
                    unresolved := filter (fun u => number t <? number u) (unresolved s);
                    closes := closes s; taking := taking s; owed := owed s |}
  | offers_close : forall o, listed (newest s) = [] -> close_net o = net_of (newest s) ->
      Turn g v s {| highest := highest s; newest := newest s; unresolved := unresolved s;
                    closes := o :: closes s; taking := taking s; owed := owed s |}
  | offers_withdraw : forall x, taking s = None ->
      take_index x = withdrawals (seen_funds v) ->
      (forall t, In t (newest s :: unresolved s) -> covers (after (seen_funds v) x) t) ->
      Turn g v s {| highest := highest s; newest := newest s; unresolved := unresolved s;
                    closes := closes s; taking := Some x; owed := owed s |}
  | reckons : forall n, (forall e, In e (ways s) -> n <= worth e) ->  (** its user pays, or counts
      on what has come; [answer-6]: by the worst of all ways *)
      Turn g v s {| highest := highest s; newest := newest s; unresolved := unresolved s;
                    closes := closes s; taking := taking s; owed := n |}.

(** What it forgets when it looks: offers that have lapsed or were mined. *)
Definition lapsed (w : World) (s : Store) : Store :=
  {| highest := highest s; newest := newest s; unresolved := unresolved s;
     closes := filter (fun o => now w <=? close_until o) (closes s);
     taking := match taking s with
               | Some x => if (now w <=? take_until x)
                              && (withdrawals (funds w (key c)) <=? take_index x)
                           then Some x else None
               | None => None
               end;
     owed := owed s |}.

(** What may leave: what is on its disk [write-1]. *)
Inductive Kept (s : Store) : Message -> Prop :=
  | kept_newest : 0 < number (newest s) -> Kept s (state (newest s))
  | kept_unresolved : forall t, In t (unresolved s) -> Kept s (state t)
  | kept_close : forall o, In o (closes s) -> Kept s (closing o)
  | kept_withdraw : forall x, taking s = Some x -> Kept s (withdrawing x).

(** In this channel it gives no word by sending a transaction without its signature. *)
Definition careful (caller : Address) (call : Call) : Prop :=
  caller = account \/ caller = my_key ->
  forall sa sb, words call = Some (c, sa, sb) -> (if as_bob then sb else sa) <> Unsigned.

Definition with_world x w g := {| world := w; given_ := g; disk := disk x; memory := memory x;
  view := view x; looked := looked x; alarm := alarm x; due := due x |}.
Definition with_memory x s := {| world := world x; given_ := given_ x; disk := disk x;
  memory := s; view := view x; looked := looked x; alarm := alarm x; due := due x |}.

Definition shows (w : World) : bool :=
  match disputes w (key c) with Some _ => true | None => false end.
Definition must_answer (w : World) (s : Store) : bool :=
  match disputes w (key c) with Some d => version d <? number (newest s) | None => false end.

Inductive Move (x : Situation) : Situation -> Prop :=
  | signs_ : forall k m, k <> my_key ->
      Move x (with_world x (world x) ((k, m) :: given_ x))
  | passes_ : forall seconds, 0 <= seconds ->
      now (world x) + seconds <= looked x + freshness ->
      (forall t, due x = Some t -> now (world x) + seconds <= t) ->
      Move x (with_world x (with_now (world x) (now (world x) + seconds)) (given_ x))
  | gift_ : forall a n, 0 <= n ->
      Move x (with_world x (with_balance (world x) a (balance (world x) a + n)) (given_ x))
  | calls_ : forall o caller value call w',
      Forall (has (given_ x)) (signatures_of call) -> careful caller call ->
      run self (world x) o caller value call = Done w' ->
      Move x (with_world x w' (given_ x))
  | turns : forall v s, view x = Some v -> Turn (given_ x) v (memory x) s ->
      Move x (with_memory x s)
  | writes :
      Move x {| world := world x; given_ := given_ x; disk := memory x; memory := memory x;
                view := view x; looked := looked x; alarm := alarm x; due := due x |}
  | leaves : forall m, Kept (disk x) m ->
      Move x (with_world x (world x) ((my_key, m) :: given_ x))
  | crashes :
      Move x {| world := world x; given_ := given_ x; disk := disk x; memory := disk x;
                view := None; looked := looked x; alarm := alarm x; due := due x |}
  | looks :  (** what it had not written is gone, as if it had crashed *)
      Move x {| world := world x; given_ := given_ x; disk := disk x;
                memory := lapsed (world x) (disk x);
                view := Some {| seen_funds := funds (world x) (key c);
                                seen_dispute := shows (world x) |};
                looked := now (world x); alarm := shows (world x);
                due := match due x with
                       | Some t => Some t
                       | None => if must_answer (world x) (disk x)
                                 then Some (now (world x) + margin) else None
                       end |}
  | answers_ : forall w', 0 < number (newest (disk x)) ->
      (** its newest state is mined, in a dispute that it answers or opens; if it fails, then
          nothing has changed, and it does not try again *)
      match run self (world x) {| arrives := fun _ => None; delivers := fun _ => true;
                                  outcome := fun _ => None |}
                account 0 (registering (newest (disk x))) with
      | Done w => w' = w
      | Refused _ => w' = world x
      end ->
      Move x {| world := w'; given_ := (my_key, state (newest (disk x))) :: given_ x;
                disk := disk x; memory := memory x; view := view x; looked := looked x;
                alarm := alarm x; due := None |}.

(** It begins with an empty store, whatever was there before, in a channel of which neither it nor
    the chain knows anything but deposits [join-4]. *)
Definition fresh_store (n : Z) : Store := {| highest := 0; newest := beginning; unresolved := [];
  closes := []; taking := None; owed := n |}.

Record Begins (x : Situation) : Prop := {
  b_chain : reachable self (world x) (given_ x);
  b_silent : forall m, about m = id_of c -> ~ In (my_key, m) (given_ x)
             /\ ~ In (account, m) (sent (world x)) /\ ~ In (my_key, m) (sent (world x));
  b_outs : outs (world x) (key c) = [];
  b_dispute : disputes (world x) (key c) = None;
  b_funds : 0 <= of_alice (funds (world x) (key c)) /\ 0 <= of_bob (funds (world x) (key c));
  b_store : exists n, n <= worth (0, []) /\ disk x = fresh_store n /\ memory x = fresh_store n;
  b_view : view x = None /\ looked x = now (world x) /\ alarm x = false /\ due x = None
}.

Inductive Moves : Situation -> Situation -> Prop :=
  | still : forall x, Moves x x
  | on : forall x y z, Moves x y -> Move y z -> Moves x z.

Definition possible (x : Situation) : Prop := exists b, Begins b /\ Moves b x.

(** ** P8. What is on its disk agrees with all that it ever let go *)

Definition Accounted (s : Store) (t : Terms) : Prop :=
  t = newest s \/ In t (unresolved s) \/ number t < number (newest s).

Record Fit (g : Given) (s : Store) : Prop := {
  f_low : 0 <= number (newest s) <= highest s;
  f_range : forall t, In t (unresolved s) -> number (newest s) < number t <= highest s;
  f_distinct : forall t u, In t (unresolved s) -> In u (unresolved s) ->
               number t = number u -> t = u;
  f_start : number (newest s) = 0 -> newest s = beginning;
  f_peer : number (newest s) <> 0 -> In (peer_key, state (newest s)) g;
  f_form : forall t, In t (newest s :: unresolved s) -> number t <> 0 -> well_formed t;
  f_worth : forall e, In e (ways s) -> owed s <= worth e
}.

Record Books (x : Situation) : Prop := {
  k_disk : Fit (given_ x) (disk x);
  k_memory : Fit (given_ x) (memory x);
  k_given : forall t, In (my_key, state t) (given_ x) ->
            0 < number t /\ Accounted (disk x) t /\ Accounted (memory x) t;
  k_once : forall t u, In (my_key, state t) (given_ x) -> In (my_key, state u) (given_ x) ->
           number t = number u -> t = u;
  k_ahead : forall t, In t (newest (disk x) :: unresolved (disk x)) -> Accounted (memory x) t;
  k_word : forall m, about m = id_of c ->
           In (account, m) (sent (world x)) \/ In (my_key, m) (sent (world x)) ->
           In (my_key, m) (given_ x)
}.

Lemma state_inj : forall t u, state t = state u -> t = u.
Proof.
  intros [n v l] [n' v' l'] H. unfold state in H. simpl in H. congruence.
Qed.

Lemma ways_newest : forall s, In (way (newest s)) (ways s).
Proof. intros. left. reflexivity. Qed.
Lemma ways_unresolved : forall s t, In t (unresolved s) -> In (way t) (ways s).
Proof. intros s t H. unfold ways. apply in_or_app. left. right. apply in_map. exact H. Qed.
Lemma ways_close : forall s o, In o (closes s) -> In (close_net o, []) (ways s).
Proof.
  intros s o H. unfold ways. apply in_or_app. right.
  apply (in_map (fun o => (close_net o, @nil Nano))) in H. exact H.
Qed.

Lemma ways_cases : forall s e, In e (ways s) ->
  e = way (newest s) \/ (exists t, In t (unresolved s) /\ e = way t)
  \/ (exists o, In o (closes s) /\ e = (close_net o, [])).
Proof.
  intros s e H. unfold ways in H. apply in_app_or in H. destruct H as [[H|H]|H].
  - left. congruence.
  - right. left. apply in_map_iff in H. destruct H as (t & E & I). exists t. split; congruence.
  - right. right. apply in_map_iff in H. destruct H as (o & E & I). exists o. split; congruence.
Qed.

Lemma fit_more : forall g g' s, incl g g' -> Fit g s -> Fit g' s.
Proof. intros g g' s I [A B C D E F G]. constructor; auto. Qed.

Lemma accounted_turn : forall g v s s' t, Fit g s -> Turn g v s s' -> Accounted s t ->
  Accounted s' t.
Proof.
  intros g v s s' t [Lo Ra Di _ _ _ _] T [->|[I|L]]; destruct T; unfold Accounted; simpl; auto;
    repeat match goal with M : MaySign _ _ _ |- _ => destruct M end;
    try (right; right; lia); try (specialize (Ra _ I); right; right; lia).
  - right. right. apply Ra. assumption.
  - destruct (Z.lt_trichotomy (number t) (number t0)) as [X|[X|X]]; [ auto | left; auto |].
    right. left. apply filter_In. split; [ exact I | apply Z.ltb_lt; exact X ].
  - match goal with X : In t0 (unresolved s) |- _ => specialize (Ra _ X) end. right. right. lia.
Qed.

Lemma fit_turn : forall g v s s', Fit g s -> Turn g v s s' -> Fit g s'.
Proof.
  intros g v s s' [Lo Ra Di St Pe Fo Wo] T. destruct T;
    try (match goal with M : MaySign _ _ _ |- _ => destruct M as [Ri Fm Co Be] end);
    constructor; fields.
  all: try lia. all: try assumption.
  - intros u [<-|I]; [ lia |]. specialize (Ra u I). lia.
  - intros u u' [<-|I] [<-|I'] N; auto;
      [ specialize (Ra _ I') | specialize (Ra _ I) ]; lia.
  - intros u [<-|[<-|I]] Nz; auto; apply Fo; auto; [ left | right ]; auto.
  - intros e I. apply ways_cases in I. simpl in I.
    destruct I as [->|[(u & [<-|I] & ->)|(o & I & ->)]].
    + apply Wo, ways_newest.
    + exact Be.
    + apply Wo, ways_unresolved, I.
    + apply (Wo _ (ways_close _ _ I)).
  - intros u [].
  - intros u u' [].
  - intros _. assumption.
  - intros u [<-|F0] Nz; [| destruct F0 ]. exact Fm.
  - intros e I. apply ways_cases in I. simpl in I.
    destruct I as [->|[(u & [] & _)|(o & I & ->)]]; [ exact Be |].
    apply (Wo _ (ways_close _ _ I)).
  - specialize (Ra _ H0). lia.
  - intros u I. apply filter_In in I. destruct I as [I L]. apply Z.ltb_lt in L.
    specialize (Ra _ I). lia.
  - intros u u' I I'. apply filter_In in I, I'. apply Di; tauto.
  - intros N. specialize (Ra _ H0). lia.
  - intros _. assumption.
  - intros u [<-|I] Nz; apply Fo; auto; [ right; assumption |].
    apply filter_In in I. right. tauto.
  - intros e I. apply ways_cases in I. simpl in I.
    destruct I as [->|[(u & I & ->)|(o & I & ->)]].
    + apply Wo, ways_unresolved. assumption.
    + apply filter_In in I. apply Wo, ways_unresolved. tauto.
    + apply (Wo _ (ways_close _ _ I)).
  - intros e I. apply ways_cases in I. simpl in I.
    destruct I as [->|[(u & I & ->)|(o' & [<-|I] & ->)]].
    + apply Wo, ways_newest.
    + apply Wo, ways_unresolved, I.
    + rewrite H0. pose proof (Wo _ (ways_newest s)) as X. unfold way in X. rewrite H in X. exact X.
    + apply (Wo _ (ways_close _ _ I)).
Qed.

Lemma fit_lapsed : forall g w s, Fit g s -> Fit g (lapsed w s).
Proof.
  intros g w s [Lo Ra Di St Pe Fo Wo]. constructor; unfold lapsed; fields; auto.
  intros e I. apply Wo. apply ways_cases in I. simpl in I.
  destruct I as [->|[(u & I & ->)|(o & I & ->)]].
  - apply ways_newest.
  - apply ways_unresolved, I.
  - apply filter_In in I. apply (ways_close s o). tauto.
Qed.

(** Words that come by a call of somebody are its signature's, if they are its own at all. *)
Lemma word_by_call : forall x o caller value call w', Books x ->
  Forall (has (given_ x)) (signatures_of call) -> careful caller call ->
  run self (world x) o caller value call = Done w' ->
  forall m, about m = id_of c -> In (account, m) (sent w') \/ In (my_key, m) (sent w') ->
  In (my_key, m) (given_ x).
Proof.
  intros x o caller value call w' B Hs Ca R m Ab I.
  assert (X : forall a, a = account \/ a = my_key -> In (a, m) (sent w') ->
    In (my_key, m) (given_ x)).
  { intros a Own J. destruct (run_words self _ _ _ _ _ _ R a m J) as [J'|J'].
    - apply (k_word x B m Ab). destruct Own as [-> | ->]; auto.
    - destruct J' as (c0 & sa & sb & Wd & Ec & Am & Ga & Gb).
      assert (c0 = c) by congruence. subst c0. subst a.
      specialize (Ca Own sa sb Wd).
      assert (Hh : has (given_ x) (if as_bob then sb else sa)).
      { destruct call; simpl in Wd; try discriminate; injection Wd as <- <- <-; simpl in Hs;
          inversion Hs as [|? ? Ha Hs']; inversion Hs' as [|? ? Hb Hs'']; destruct as_bob;
          assumption. }
      unfold my_key in *. destruct as_bob; simpl in *.
      + rewrite (agrees_given _ _ _ _ _ Gb Ca) in Hh. exact Hh.
      + rewrite (agrees_given _ _ _ _ _ Ga Ca) in Hh. exact Hh. }
  destruct I as [I|I]; [ apply (X account) | apply (X my_key) ]; auto.
Qed.

Lemma books_world : forall x w' g', Books x -> incl (given_ x) g' ->
  (forall t, In (my_key, state t) g' -> In (my_key, state t) (given_ x)) ->
  (forall m, about m = id_of c -> In (account, m) (sent w') \/ In (my_key, m) (sent w') ->
     In (my_key, m) g') ->
  Books (with_world x w' g').
Proof.
  intros x w' g' [D M G O A W] I Own Wd. constructor; simpl; auto.
  - eapply fit_more; eassumption.
  - eapply fit_more; eassumption.
Qed.

Lemma accounted_apart : forall g s t u, Fit g s -> Accounted s t ->
  In u (newest s :: unresolved s) -> number t = number u -> t = u.
Proof.
  intros g s t u F A U N. destruct F as [Lo Ra Di _ _ _ _].
  destruct A as [->|[I|L]]; destruct U as [<-|U]; auto.
  - specialize (Ra u U). lia.
  - specialize (Ra t I). lia.
  - lia.
  - specialize (Ra u U). lia.
Qed.

(** Letting a state go that is on disk. *)
Lemma books_leave : forall x t, Books x -> In t (newest (disk x) :: unresolved (disk x)) ->
  0 < number t -> Books (with_world x (world x) ((my_key, state t) :: given_ x)).
Proof.
  intros x t [D M G O A W] I P. constructor; simpl.
  - eapply fit_more; [ apply incl_tl, incl_refl | exact D ].
  - eapply fit_more; [ apply incl_tl, incl_refl | exact M ].
  - intros u [E|J]; [| apply G; exact J ].
    assert (t = u) by (apply state_inj; congruence). subst u.
    split; [ exact P |]. split; [| apply A; exact I ].
    destruct I as [<-|I]; [ left; reflexivity | right; left; exact I ].
  - intros u u' [E|J] [E'|J'] N.
    + apply state_inj. congruence.
    + assert (t = u) by (apply state_inj; congruence). subst u. symmetry.
      apply (accounted_apart (given_ x) (disk x)); auto. apply G. exact J'.
    + assert (t = u') by (apply state_inj; congruence). subst u'.
      apply (accounted_apart (given_ x) (disk x)); auto. apply G. exact J.
    + apply O; assumption.
  - exact A.
  - intros m Ab J. right. apply W; assumption.
Qed.

Lemma books_word : forall x m, Books x -> (forall t, m <> state t) ->
  Books (with_world x (world x) ((my_key, m) :: given_ x)).
Proof.
  intros x m B N. apply books_world; [ exact B | apply incl_tl, incl_refl | |].
  - intros t [E|J]; [ exfalso; apply (N t); congruence | exact J ].
  - intros m' Ab J. right. apply (k_word x B); assumption.
Qed.

Lemma books_call : forall x o caller value call w', Books x ->
  Forall (has (given_ x)) (signatures_of call) -> careful caller call ->
  run self (world x) o caller value call = Done w' -> Books (with_world x w' (given_ x)).
Proof.
  intros. apply books_world; auto; [ apply incl_refl |]. intros. eapply word_by_call; eassumption.
Qed.

Lemma registering_is_careful : forall t caller, careful caller (registering t).
Proof.
  intros t caller _ sa sb H. injection H as <- <-. destruct as_bob; discriminate.
Qed.

Lemma registering_is_had : forall g s, Fit g s -> number (newest s) <> 0 ->
  Forall (has ((my_key, state (newest s)) :: g)) (signatures_of (registering (newest s))).
Proof.
  intros g s F N. pose proof (f_peer _ _ F N) as P. unfold peer_key, my_key in *.
  unfold registering. simpl. destruct as_bob; (constructor; [| constructor; [| constructor ] ]);
    simpl; auto.
Qed.

Lemma books_move : forall x y, Books x -> Move x y -> Books y.
Proof.
  intros x y B M. destruct M.
  - apply books_world; auto; [ apply incl_tl, incl_refl | |].
    + intros t [E|J]; [ congruence | exact J ].
    + intros m' Ab J. right. apply (k_word x B); assumption.
  - apply books_world; auto; [ apply incl_refl |]. apply (k_word x B).
  - apply books_world; auto; [ apply incl_refl |]. apply (k_word x B).
  - eapply books_call; eassumption.
  - destruct B as [D Me G O A W]. constructor; simpl; auto.
    + eapply fit_turn; eassumption.
    + intros t J. destruct (G t J) as (P & X & Y). repeat split; auto.
      eapply accounted_turn; eassumption.
    + intros t J. eapply accounted_turn; eauto.
  - destruct B as [D Me G O A W]. constructor; simpl; auto.
    + intros t J. destruct (G t J) as (P & X & Y). repeat split; auto.
    + intros t [<-|I]; [ left; reflexivity | right; left; exact I ].
  - destruct H.
    + apply books_leave; auto. left. reflexivity.
    + pose proof (f_range _ _ (k_disk x B) t H). pose proof (f_low _ _ (k_disk x B)).
      apply books_leave; auto; [ right; assumption | lia ].
    + apply books_word; auto. intros t. discriminate.
    + apply books_word; auto. intros t. discriminate.
  - destruct B as [D Me G O A W]. constructor; simpl; auto.
    + intros t J. destruct (G t J) as (P & X & Y). repeat split; auto.
    + intros t [<-|I]; [ left; reflexivity | right; left; exact I ].
  - destruct B as [D Me G O A W]. constructor; simpl; auto.
    + apply fit_lapsed. exact D.
    + intros t J. destruct (G t J) as (P & X & Y). repeat split; auto.
    + intros t [<-|I]; [ left; reflexivity | right; left; exact I ].
  - assert (B' := books_leave x _ B (or_introl eq_refl) H).
    assert (Nz : number (newest (disk x)) <> 0) by lia.
    destruct (run _ _ _ _ _ _) as [w1|] eqn:R; subst w'.
    + assert (B'' := books_call _ _ _ _ _ _ B' (registering_is_had _ _ (k_disk x B) Nz)
        (registering_is_careful _ _) R).
      destruct B'' as [D Me G O A W]. constructor; assumption.
    + destruct B' as [D Me G O A W]. constructor; assumption.
Qed.

Lemma books_begin : forall x, Begins x -> Books x.
Proof.
  intros x [R Si Ou Di Fu (n & Hn & D & M) V].
  assert (F : Fit (given_ x) (fresh_store n)).
  { constructor; simpl; try lia; try tauto.
    - intros t [<-|[]] Nz. exfalso. apply Nz. reflexivity.
    - intros e [<-|[]]. exact Hn. }
  assert (No : forall t, ~ In (my_key, state t) (given_ x)) by (intros t; apply Si; reflexivity).
  constructor; rewrite ?D, ?M; auto.
  - intros t J. exfalso. exact (No t J).
  - intros t u J. exfalso. exact (No t J).
  - intros t [<-|[]]. left. reflexivity.
  - intros m Ab J. destruct (Si m Ab) as (_ & A & B). tauto.
Qed.

Lemma books_possible : forall x, possible x -> Books x.
Proof.
  intros x (b & B & Ms). induction Ms; [ apply books_begin; exact B | eapply books_move; eauto ].
Qed.

(** However often and wherever it is stopped and started again, it never signs two different states
    with one version. *)
Theorem one_state_a_version : forall x t u, possible x ->
  In (my_key, state t) (given_ x) -> In (my_key, state u) (given_ x) -> number t = number u ->
  t = u.
Proof. intros x t u P. apply (k_once x (books_possible x P)). Qed.

(** It loses no signature that it relied on: of its newest state it has the other's signature, and
    whatever state it ever let go is this one, or one that it still knows, or older. *)
Theorem nothing_is_forgotten : forall x, possible x ->
  (number (newest (disk x)) <> 0 -> In (peer_key, state (newest (disk x))) (given_ x))
  /\ forall t, In (my_key, state t) (given_ x) ->
     t = newest (disk x) \/ In t (unresolved (disk x)) \/ number t < number (newest (disk x)).
Proof.
  intros x P. pose proof (books_possible x P) as B. split.
  - apply (f_peer _ _ (k_disk x B)).
  - intros t I. apply (k_given x B t I).
Qed.

(** Nor does a start make it worth less: each way in which it may end is worth what its user counts
    as his. *)
Theorem what_is_owed_is_on_disk : forall x e, possible x -> In e (ways (disk x)) ->
  owed (disk x) <= worth e.
Proof. intros x e P. apply (f_worth _ _ (k_disk x (books_possible x P))). Qed.

End Party.
