(** A hub that keeps section 6: one instance that crosses two of its channels (P4).

    The instance's Alice pays the hub in the channel [first], the hub pays its Bob in [second]; a
    negative shift goes the other way.  Of each channel we keep the ways in which it may end as the
    hub's signatures stand, newest fully signed state first, and of each way only what it says of
    this instance.  That these are all the ways, whatever its peers and the chain do, is [P2]
    ([Balance.v]), for each channel by itself.

    The hub works in memory, writes both channels in one write, and may end between any two.  The
    adversary is both ends and everybody else: who brings which evidence to the instance and when,
    which of the hub's proposals are countersigned and when, how time passes.  One thing is
    promised, in [waits_]: evidence that it relies on by rule (c) is mined while it still counts.

    Over several hubs (a one-way machine, [path-1]) each hub stands between two channels of its own,
    and this is the model of each: it adds towards the payee what is fully signed towards the payer
    ([path-5], [adds_second]), takes back what the next hub refused ([path-6]), and is paid by the one
    before once it has paid ([path-7], rules (c) and (d)). *)

From Perun Require Export VPM HashTimeLock.

Section Hub.
Variables Record_ Evidence : Type.
Variable submit : Z -> Evidence -> Record_ -> Record_.
Variable answer : Z -> Record_ -> option Z.
Variable final_time : Z.
Variable begins : Record_ -> Prop.
Variables lock_a lock_b : Z.  (** the instance's own locks *)
Variable in_time : Evidence -> Z -> Record_ -> Prop.  (** would this evidence still count? *)

Notation later := (later Record_ Evidence submit).

(** The instance moves [f] from its Alice to its Bob, in whichever channel lists it. *)
Definition clamped (s : Z) : Z := Z.max (- lock_b) (Z.min s lock_a).
Definition decided (t : Z) (r : Record_) (f : Z) : Prop :=
  (exists s, answer t r = Some s /\ f = clamped s)
  \/ (final_time < t /\ answer t r = None /\ f = 0).

(** [e] forces at least [s], whatever anybody else brings, before it or after it. *)
Record Forces (e : Evidence) (s : Z) : Prop := {
  fo_now : forall t r f, begins r -> in_time e t r -> decided t r f -> s <= f;
  fo_keeps : forall t r e', begins r -> in_time e t r -> in_time e t (submit t e' r);
  fo_counts : forall t r t' r' f, begins r -> in_time e t r ->
              later (t, submit t e r) (t', r') -> decided t' r' f -> s <= f
}.

(** What a state says of the instance. *)
Inductive Leg := absent | listed_ | removed (shift : Z).
Record Legs := {
  first : list Leg;
  second : list Leg;
  evidence : option (Evidence * Z)  (** relied on: it forces so much *)
}.
Record Hub := {
  time : Z;
  record : Record_;
  on_disk : Legs;
  in_memory : Legs;
  counted : bool  (** was what it relies on mined? *)
}.

Definition newest_leg (l : list Leg) : Leg := hd absent l.
Definition with_first (l : Legs) (x : list Leg) : Legs :=
  {| first := x; second := second l; evidence := evidence l |}.
Definition with_second (l : Legs) (x : list Leg) : Legs :=
  {| first := first l; second := x; evidence := evidence l |}.

(** What it may sign: [proposes] adds a way, a countersignature leaves that one alone. *)
Inductive Signing (h : Hub) (l : Legs) : Legs -> Prop :=
  | signs_both : forall x,                               (* the same in both, in one write *)
      Signing h l {| first := [x]; second := [x]; evidence := evidence l |}
  | adds_first : lock_b = 0 -> newest_leg (first l) = absent -> newest_leg (second l) = absent ->
      Signing h l (with_first l [listed_])                                      (* close-5 *)
  | adds_second : lock_b = 0 -> first l = [listed_] -> newest_leg (second l) = absent ->
      Signing h l (with_second l (second l ++ [listed_]))                       (* close-5 *)
  | removes_first : forall f, decided (time h) (record h) f ->                  (* (a), (b) *)
      newest_leg (first l) = listed_ -> Signing h l (with_first l (first l ++ [removed f]))
  | removes_second : forall f, decided (time h) (record h) f ->                 (* (a), (b) *)
      newest_leg (second l) = listed_ -> Signing h l (with_second l (second l ++ [removed f]))
  | pays_alone : forall e s, Forces e s -> in_time e (time h) (record h) ->       (* (c) *)
      evidence l = None -> newest_leg (first l) = listed_ -> newest_leg (second l) = listed_ ->
      Signing h l {| first := first l; second := [removed s]; evidence := Some (e, s) |}
  | is_paid : forall s s', newest_leg (first l) = listed_ ->                    (* (d) *)
      In (removed s) (second l) -> s <= s' ->
      Signing h l (with_first l (first l ++ [removed s']))
  | gives_up : lock_b = 0 -> newest_leg (first l) = listed_ -> second l = [absent] ->
      Signing h l (with_first l (first l ++ [removed 0]))                       (* path-6 *)
  | is_refused : lock_b = 0 -> newest_leg (first l) = listed_ -> newest_leg (second l) = listed_ ->
      Signing h l (with_second l [removed 0])                                   (* path-6 *)
  | other_first : Signing h l (with_first l (first l ++ [newest_leg (first l)]))
  | other_second : Signing h l (with_second l (second l ++ [newest_leg (second l)]))
  | completes_first : forall a x b, first l = a ++ x :: b ->
      Signing h l (with_first l (x :: b))
  | completes_second : forall a x b, second l = a ++ x :: b ->
      Signing h l (with_second l (x :: b)).

Definition relies (l : Legs) (counted : bool) (t : Z) (r : Record_) : Prop :=
  forall e s, evidence l = Some (e, s) -> counted = true \/ in_time e t r.

Inductive Step_ (h : Hub) : Hub -> Prop :=
  | waits_ : forall t, time h <= t ->
      relies (in_memory h) (counted h) t (record h) ->
      Step_ h {| time := t; record := record h; on_disk := on_disk h; in_memory := in_memory h;
                 counted := counted h |}
  | brings_ : forall e, Step_ h {| time := time h; record := submit (time h) e (record h);
      on_disk := on_disk h; in_memory := in_memory h; counted := counted h |}
  | submits_ : forall e s, evidence (in_memory h) = Some (e, s) ->
      Step_ h {| time := time h; record := submit (time h) e (record h);
                 on_disk := on_disk h; in_memory := in_memory h; counted := true |}
  | signs_leg : forall l, Signing h (in_memory h) l ->
      Step_ h {| time := time h; record := record h; on_disk := on_disk h; in_memory := l;
                 counted := counted h
                            && match evidence (in_memory h) with Some _ => true | None => false end |}
  | writes_ : Step_ h {| time := time h; record := record h; on_disk := in_memory h;
      in_memory := in_memory h; counted := counted h |}
  | crashes_ : Step_ h {| time := time h; record := record h; on_disk := on_disk h;
      in_memory := on_disk h; counted := counted h |}.

Definition nothing_signed : Legs := {| first := [absent]; second := [absent]; evidence := None |}.

Inductive Known : Hub -> Prop :=
  | knows_nothing : forall t r, begins r ->
      Known {| time := t; record := r; on_disk := nothing_signed; in_memory := nothing_signed;
               counted := false |}
  | next_ : forall h h', Known h -> Step_ h h' -> Known h'.

(** ** Why it is neutral *)

Variable kept : Kept Record_ Evidence submit answer final_time begins.

Lemma decided_stays : forall t r t' r' f, begins r -> later (t, r) (t', r') ->
  decided t r f -> decided t' r' f.
Proof.
  intros t r t' r' f B L [(s & A & ->)|(F & A & ->)].
  - left. exists s. split; [| reflexivity ].
    exact (once_done_never_changes _ _ _ _ _ _ _ _ _ kept L B A).
  - right. pose proof (later_time _ _ _ _ _ L) as T. simpl in T. split; [ lia |].
    split; [| reflexivity ].
    exact (what_is_late_never_counts _ _ _ _ _ _ _ _ kept L B F A).
Qed.

Lemma decided_once : forall t r f f', decided t r f -> decided t r f' -> f = f'.
Proof.
  intros t r f f' [(s & A & ->)|(F & A & ->)] [(s' & A' & ->)|(F' & A' & ->)]; congruence.
Qed.

Lemma decided_nonneg : forall t r f, lock_b = 0 -> decided t r f -> 0 <= f.
Proof. intros t r f L [(s & _ & ->)|(_ & _ & ->)]; [ unfold clamped |]; lia. Qed.

Section At.
Variables (t : Z) (r : Record_).

Definition at_most (s : Z) : Prop := exists f, decided t r f /\ f <= s.
Definition at_least (l : Legs) (s : Z) : Prop :=
  (exists f, decided t r f /\ s <= f)
  \/ (exists e s0, evidence l = Some (e, s0) /\ s <= s0)
  \/ (lock_b = 0 /\ s <= 0).

(** Two ways, one of each channel, that may both come true. *)
Definition Pair (l : Legs) (a b : Leg) : Prop :=
  match a, b with
  | absent, absent | listed_, listed_ => True
  | listed_, absent => lock_b = 0
  | removed s, absent => 0 <= s
  | removed s, removed s' => s' <= s
  | listed_, removed s => at_least l s
  | removed s, listed_ => at_most s
  | absent, _ => False
  end.

Record Safe (l : Legs) : Prop := {
  sa_first : first l <> [];
  sa_second : second l <> [];
  sa_pairs : forall a b, In a (first l) -> In b (second l) -> Pair l a b;
  sa_decided : forall b s, In b (second l) -> In (removed s) (second l) -> b <> removed s ->
               decided t r s
}.
End At.

Definition Good (h : Hub) (l : Legs) : Prop := forall e s, evidence l = Some (e, s) ->
  Forces e s
  /\ (if counted h
      then forall t' r' f, later (time h, record h) (t', r') -> decided t' r' f -> s <= f
      else in_time e (time h) (record h)).

Record Inv (h : Hub) : Prop := {
  i_begins : begins (record h);
  i_disk : Safe (time h) (record h) (on_disk h);
  i_memory : Safe (time h) (record h) (in_memory h);
  i_good : Good h (in_memory h);
  i_same : evidence (on_disk h) = None \/ evidence (on_disk h) = evidence (in_memory h)
}.

Lemma in_newest : forall l, l <> [] -> In (newest_leg l) l.
Proof. intros [|x l] N; [ contradiction | left; reflexivity ]. Qed.

Lemma safe_later : forall t r t' r' l, begins r -> later (t, r) (t', r') -> Safe t r l ->
  Safe t' r' l.
Proof.
  intros t r t' r' l B L [N1 N2 P D]. constructor; auto.
  - intros a b Ia Ib. specialize (P a b Ia Ib). destruct a, b; simpl in *; auto.
    + destruct P as [(f & Df & Lf)|E]; [ left | right; exact E ].
      exists f. split; [ eapply decided_stays; eassumption | exact Lf ].
    + destruct P as (f & Df & Lf). exists f. split; [ eapply decided_stays; eassumption | exact Lf ].
  - intros b s Ib Is Ne. eapply decided_stays; eauto.
Qed.

Lemma least_counts : forall h l s f, begins (record h) -> Good h l ->
  at_least (time h) (record h) l s -> decided (time h) (record h) f -> s <= f.
Proof.
  intros h l s f B G [(f' & D' & L)|[(e & s0 & E & L)|[Lb L]]] D.
  - pose proof (decided_once _ _ _ _ D D'). lia.
  - destruct (G e s0 E) as [Fo C]. destruct (counted h).
    + specialize (C (time h) (record h) f (same _ _ _ _) D). lia.
    + pose proof (fo_now _ _ Fo _ _ _ B C D). lia.
  - pose proof (decided_nonneg _ _ _ Lb D). lia.
Qed.

Lemma safe_signing : forall h l l', begins (record h) -> Good h l ->
  Safe (time h) (record h) l -> Signing h l l' -> Safe (time h) (record h) l'.
Proof.
  intros h l l' B G [N1 N2 P D] S.
  assert (Hf := in_newest _ N1). assert (Hs := in_newest _ N2).
  destruct S as [x|Lb Ef Es|Lb Ef Es|f Df Ef|f Df Es|e s Fo It Ev Ef Es|s s' Ef Es Le
    |Lb Ef Es|Lb Ef Es| | |a x b E|a x b E]; constructor; unfold with_first, with_second in *; cbn [first second evidence] in *;
    auto; try discriminate;
    try (intros X; apply app_eq_nil in X; destruct X; discriminate).
  - intros a b [<-|[]] [<-|[]]. destruct x; simpl; auto; lia.
  - intros b s [<-|[]] [X|[]] Ne. congruence.
  - intros a b [<-|[]] Ib. pose proof (P (newest_leg (first l)) b Hf Ib) as Q. rewrite Ef in Q.
    destruct b; simpl in *; auto; contradiction.
  - intros a b Ia Ib. apply in_app_or in Ib. destruct Ib as [Ib|[<-|[]]]; [ apply P; assumption |].
    rewrite Ef in Ia. destruct Ia as [<-|[]]. exact I.
  - intros b s Ib Is Ne. apply in_app_or in Is. destruct Is as [Is|[X|[]]]; [| discriminate X ].
    apply in_app_or in Ib. destruct Ib as [Ib|[<-|[]]]; [ apply (D b); assumption |].
    apply (D (newest_leg (second l))); auto. rewrite Es. discriminate.
  - intros a b Ia Ib. apply in_app_or in Ia. destruct Ia as [Ia|[<-|[]]]; [ apply P; assumption |].
    pose proof (P (newest_leg (first l)) b Hf Ib) as Q. rewrite Ef in Q. destruct b; simpl in *.
    + eapply decided_nonneg; eassumption.
    + exists f. split; [ exact Df | lia ].
    + eapply least_counts; eassumption.
  - intros a b Ia Ib. apply in_app_or in Ib. destruct Ib as [Ib|[<-|[]]]; [ apply P; assumption |].
    pose proof (P a (newest_leg (second l)) Ia Hs) as Q. rewrite Es in Q. destruct a; simpl in *.
    + contradiction.
    + left. exists f. split; [ exact Df | lia ].
    + destruct Q as (f' & D' & Lf). pose proof (decided_once _ _ _ _ Df D'). lia.
  - intros b s Ib Is Ne. apply in_app_or in Is. destruct Is as [Is|[X|[]]].
    + apply (D (newest_leg (second l))); auto. rewrite Es. discriminate.
    + injection X as <-. exact Df.
  - intros a b Ia [<-|[]]. pose proof (P a (newest_leg (second l)) Ia Hs) as Q. rewrite Es in Q.
    destruct a; simpl in *.
    + contradiction.
    + right. left. exists e, s. split; [ reflexivity | lia ].
    + destruct Q as (f' & D' & Lf). pose proof (fo_now _ _ Fo _ _ _ B It D'). lia.
  - intros b s0 [<-|[]] [X|[]] Ne. congruence.
  - intros a b Ia Ib. apply in_app_or in Ia. destruct Ia as [Ia|[<-|[]]]; [ apply P; assumption |].
    assert (Q : b = removed s \/ decided (time h) (record h) s).
    { destruct b as [| |s0]; [ right; apply (D absent s) | right; apply (D listed_ s) |]; auto;
        try discriminate.
      destruct (Z.eq_dec s0 s) as [->|Ne]; [ left; reflexivity | right ].
      apply (D (removed s0) s); auto. congruence. }
    pose proof (P (newest_leg (first l)) b Hf Ib) as W. rewrite Ef in W.
    destruct b as [| |s0]; simpl in *.
    + destruct Q as [Q|Q]; [ discriminate Q |]. pose proof (decided_nonneg _ _ _ W Q). lia.
    + destruct Q as [Q|Q]; [ discriminate Q |]. exists s. split; assumption.
    + destruct Q as [Q|Q]; [ injection Q as ->; exact Le |].
      pose proof (least_counts h l s0 s B G W Q). lia.
  - intros a b Ia Ib. apply in_app_or in Ia. destruct Ia as [Ia|[<-|[]]]; [ apply P; assumption |].
    rewrite Es in Ib. destruct Ib as [<-|[]]. simpl. lia.
  - intros a b Ia [<-|[]]. pose proof (P a (newest_leg (second l)) Ia Hs) as Q. rewrite Es in Q.
    destruct a; simpl in *.
    + contradiction.
    + right. right. split; [ exact Lb | lia ].
    + destruct Q as (f & D' & L). pose proof (decided_nonneg _ _ _ Lb D'). lia.
  - intros b s0 [<-|[]] [X|[]] Ne. congruence.
  - intros a b Ia Ib. apply in_app_or in Ia. destruct Ia as [Ia|[<-|[]]]; apply P; assumption.
  - intros a b Ia Ib. apply in_app_or in Ib. destruct Ib as [Ib|[<-|[]]]; apply P; assumption.
  - intros b s Ib Is Ne. apply in_app_or in Ib, Is.
    assert (Ib' : In b (second l)) by (destruct Ib as [Ib|[<-|[]]]; assumption).
    assert (Is' : In (removed s) (second l)) by (destruct Is as [Is|[<-|[]]]; assumption).
    apply (D b); assumption.
  - intros a0 b0 Ia Ib. apply P; [ rewrite E; apply in_or_app; right; exact Ia | exact Ib ].
  - intros a0 b0 Ia Ib. apply P; [ exact Ia | rewrite E; apply in_or_app; right; exact Ib ].
  - intros b0 s Ib Is Ne. eapply D; [ | | exact Ne ]; rewrite E; apply in_or_app; right; assumption.
Qed.

Lemma begins_later : forall t r t' r', begins r -> later (t, r) (t', r') -> begins r'.
Proof. intros t r t' r' B L. exact (later_begins _ _ _ _ _ _ _ _ kept L B). Qed.

Lemma inv_step : forall h h', Inv h -> Step_ h h' -> Inv h'.
Proof.
  intros h h' [B Di Me G Sm] S. destruct S as [t T Rm|e|e s Ev|l Sg| |].
  - assert (L : later (time h, record h) (t, record h)) by (eapply waits; [ apply same | exact T ]).
    constructor; simpl; auto; try (eapply safe_later; eassumption).
    intros e s E. destruct (G e s E) as [Fo C]. split; [ exact Fo |]. simpl.
    destruct (counted h) eqn:Co.
    + intros t' r' f L'. apply C. eapply later_trans; eassumption.
    + destruct (Rm e s E) as [X|X]; [ congruence | exact X ].
  - assert (L : later (time h, record h) (time h, submit (time h) e (record h)))
      by (apply brings, same).
    constructor; simpl; auto; try (eapply safe_later; eassumption);
      [ eapply begins_later; eassumption |].
    intros e' s E. destruct (G e' s E) as [Fo C]. split; [ exact Fo |]. simpl.
    destruct (counted h).
    + intros t' r' f L'. apply C. eapply later_trans; eassumption.
    + apply (fo_keeps _ _ Fo); assumption.
  - assert (L : later (time h, record h) (time h, submit (time h) e (record h)))
      by (apply brings, same).
    constructor; simpl; auto; try (eapply safe_later; eassumption);
      [ eapply begins_later; eassumption |].
    intros e' s' E. rewrite Ev in E. injection E as <- <-.
    destruct (G e s Ev) as [Fo C]. split; [ exact Fo |]. simpl. intros t' r' f L' D'.
    destruct (counted h).
    + apply (C t' r' f); [ eapply later_trans; eassumption | exact D' ].
    + apply (fo_counts _ _ Fo (time h) (record h) t' r' f); assumption.
  - constructor; simpl; auto.
    + eapply safe_signing; eassumption.
    + intros e s E. simpl.
      destruct (evidence (in_memory h)) as [[e0 s0]|] eqn:E0.
      * assert (Some (e, s) = Some (e0, s0)) by (destruct Sg; simpl in E; congruence).
        rewrite andb_true_r. rewrite H in E. injection H as -> ->. apply (G e0 s0 E0).
      * rewrite andb_false_r. destruct Sg; simpl in E; try congruence.
        injection E as <- <-. split; assumption.
    + destruct Sg; simpl; auto. destruct Sm as [X|X]; [ left; exact X |]. left. congruence.
  - constructor; simpl; auto.
  - constructor; simpl; auto. intros e s E. apply G. destruct Sm; congruence.
Qed.

Lemma inv_known : forall h, Known h -> Inv h.
Proof.
  induction 1 as [t r B|h h' K IH S]; [| eapply inv_step; eassumption ].
  assert (Safe t r nothing_signed).
  { constructor; simpl; try discriminate.
    - intros a b [<-|[]] [<-|[]]. exact I.
    - intros b s [<-|[]] [X|[]]. discriminate X. }
  constructor; simpl; auto. intros e s E. discriminate E.
Qed.

(** What the hub gets in a channel where it is paid, and gives where it pays, if the instance moves
    [f]. *)
Definition moves (l : Leg) (f : Z) : Z :=
  match l with absent => 0 | listed_ => f | removed s => s end.

(** Once the instance is decided, and so for good: however its two channels end, by any two states
    that it has let go, whenever each of them is settled; whatever was brought to the instance, and
    however often the hub was stopped: what it gives in the one is no more than what it gets in the
    other. *)
Theorem a_hub_gives_no_more_than_it_gets : forall h f a b, Known h ->
  decided (time h) (record h) f ->
  In a (first (on_disk h)) -> In b (second (on_disk h)) -> moves b f <= moves a f.
Proof.
  intros h f a b K D Ia Ib. destruct (inv_known h K) as [B Di Me G Sm].
  pose proof (sa_pairs _ _ _ Di a b Ia Ib) as P.
  assert (Gd : Good h (on_disk h)) by (intros e s E; apply G; destruct Sm; congruence).
  destruct a as [| |s], b as [| |s']; simpl in *; try contradiction; try lia.
  - eapply decided_nonneg; eassumption.
  - eapply least_counts; eassumption.
  - destruct P as (f' & D' & Lf). pose proof (decided_once _ _ _ _ D D'). lia.
Qed.

(** And until then: whatever it may yet become, both channels list it, or what it gave is covered by
    evidence that is good, or was mined; or it gave nothing of what can only bring it money. *)
Theorem until_then_it_is_covered : forall h s, Known h -> In listed_ (first (on_disk h)) ->
  In (removed s) (second (on_disk h)) ->
  (exists f, decided (time h) (record h) f /\ s <= f)
  \/ (exists e s', evidence (on_disk h) = Some (e, s') /\ s <= s' /\ Forces e s'
      /\ (counted h = true \/ in_time e (time h) (record h)))
  \/ (lock_b = 0 /\ s <= 0).
Proof.
  intros h s K Ia Ib. destruct (inv_known h K) as [B Di Me G Sm].
  destruct (sa_pairs _ _ _ Di listed_ (removed s) Ia Ib) as [X|[(e & s' & E & L)|X]]; [ left; exact X | | right; right; exact X ].
  right. left. exists e, s'. assert (E2 : evidence (in_memory h) = Some (e, s')) by (destruct Sm; congruence).
  destruct (G e s' E2) as [Fo C]. repeat split; auto; try apply Fo.
  destruct (counted h); [ left; reflexivity | right; exact C ].
Qed.

(** The [f] above is what the chain moves, in either channel, whichever way round it lists it. *)
Theorem the_chain_moves_what_was_decided : forall o n t r x,
  asked _ answer o n t r -> begins r ->
  expiry n = final_time -> 0 <= alice_lock n -> 0 <= bob_lock n ->
  lock_of_alice n = lock_a -> lock_of_bob n = lock_b ->
  resolve t o n = Some x -> decided t r (instance_shift x).
Proof.
  intros o n t r x A B Ex La Lb Ea Eb R.
  destruct (resolved_shift _ _ _ _ _ _ _ A (fun s => kept_fits _ _ _ _ _ _ kept t r s B) R) as [N S].
  unfold instance_shift, lock_of_alice, lock_of_bob in *. rewrite N.
  destruct (answer t r) as [s|] eqn:An.
  - left. exists s. split; [ exact An |]. rewrite S. unfold clamp, clamped. subst lock_a lock_b.
    destruct (swapped n); lia.
  - right. destruct S as [O S]. split; [ lia |]. split; [ exact An |].
    rewrite S. destruct (swapped n); reflexivity.
Qed.

End Hub.

(** ** Rule (c) is for evidence that forces a shift: a revealed secret, and the payer's statement in
    a machine that pays one way. *)

Theorem a_secret_forces : forall l, HashTimeLock.bob_pays l = false ->
  0 <= HashTimeLock.of_amount l <= MAX_AMOUNT ->
  Forces _ bool (HashTimeLock.submit l) HashTimeLock.outcome (HashTimeLock.last l)
    (HashTimeLock.begins l) (HashTimeLock.of_amount l) 0
    (fun e t _ => e = true /\ t <= HashTimeLock.last l) true (HashTimeLock.of_amount l).
Proof.
  intros l Pays [A M].
  assert (K := HashTimeLock.kept l A).
  assert (V : forall t r f, decided _ HashTimeLock.outcome (HashTimeLock.last l)
    (HashTimeLock.of_amount l) 0 t r f -> HashTimeLock.begins l r ->
    r = Some (HashTimeLock.of_amount l) -> HashTimeLock.of_amount l <= f).
  { intros t r f [(s & E & ->)|(_ & E & _)] _ ->; unfold HashTimeLock.outcome in E;
      [ injection E as <-; unfold clamped; lia | discriminate E ]. }
  constructor.
  - intros t r f B [_ T] D. destruct B as [->|[_ B]]; [| rewrite Pays in B; apply (V t r f D); auto ].
    + destruct D as [(s & E & _)|(F & _)]; [ discriminate E | lia ].
    + right. split; [ exact M |]. rewrite Pays. exact B.
  - auto.
  - intros t r t' r' f B [_ T] L D.
    assert (R : HashTimeLock.submit l t true r = Some (HashTimeLock.of_amount l)).
    { destruct B as [->|[_ ->]]; unfold HashTimeLock.submit; rewrite Pays; [| reflexivity ].
      rewrite (proj2 (Z.ltb_ge _ _) M), (proj2 (Z.ltb_ge _ _) T). reflexivity. }
    rewrite R in L.
    assert (B' : HashTimeLock.begins l (Some (HashTimeLock.of_amount l)))
      by (right; rewrite Pays; split; [ exact M | reflexivity ]).
    pose proof (once_done_never_changes _ _ _ _ _ _ _ _ _ K L B' eq_refl) as E.
    pose proof (later_begins _ _ _ _ _ _ _ _ K L B') as B''. simpl in *.
    apply (V t' r' f D B''). exact E.
Qed.

Module OneWay.
Import VPM.

(** Would a statement of so much still raise what stands, or does no less stand already? *)
Definition counts (m : Machine) (e : Statements) (t : Z) (o : option Totals) : Prop :=
  alice_signed e = true /\ paid_by_bob e = 0
  /\ (paid_by_alice e <= amount o by_alice
      \/ t <= match o with Some r => deadline r | None => validity m end).

Theorem a_statement_forces : forall m e, 0 <= m_challenge m ->
  validity m + m_challenge m <= MAX_DEADLINE -> m_bob_lock m = 0 ->
  0 < paid_by_alice e <= m_alice_lock m -> m_alice_lock m <= MAX_AMOUNT ->
  Forces _ Statements (submit m) (fun t => outcome t) (final_time m) (begins m)
    (m_alice_lock m) 0 (counts m) e (paid_by_alice e).
Proof.
  intros m e Ch Fi Lb [Pa Pl] La.
  assert (K := kept m Ch).
  assert (Hi : forall t e' o, begins m o -> amount o by_alice <= amount (submit m t e' o) by_alice).
  { intros t e' o B. unfold submit. cases; numbers; simpl; try lia; destruct o; simpl in *; lia. }
  assert (Up : forall x y, later _ _ (submit m) x y -> begins m (snd x) ->
    begins m (snd y) /\ amount (snd x) by_alice <= amount (snd y) by_alice).
  { induction 1 as [x|x t t' r L IH T|x t r e' L IH]; intros B; simpl in *.
    - split; [ exact B | lia ].
    - apply IH, B.
    - destruct (IH B) as [B' L']. split; [ apply (kept_begins _ _ _ _ _ _ K); exact B' |].
      pose proof (Hi t e' r B'). lia. }
  assert (V : forall t o f, begins m o -> decided _ (fun t => outcome t) (final_time m)
    (m_alice_lock m) 0 t o f -> paid_by_alice e <= amount o by_alice -> paid_by_alice e <= f).
  { intros t o f B D A. destruct o as [r|]; simpl in *; [| lia ].
    destruct B as (Bd & Ba & Bb & _ & Bz). specialize (Bz ltac:(lia)).
    destruct D as [(s & E & ->)|(F & E & _)]; simpl in E; destruct (t <=? deadline r) eqn:T;
      try discriminate E.
    - injection E as <-. unfold clamped. lia.
    - numbers. lia. }
  constructor.
  - intros t o f B (_ & _ & [A|T]) D; [ eapply V; eassumption |]. exfalso.
    destruct o as [r|].
    + destruct D as [(s & E & _)|(F & _ & _)].
      * simpl in E. rewrite (proj2 (Z.leb_le _ _) T) in E. discriminate E.
      * destruct B as (Bd & _). lia.
    + destruct D as [(s & E & _)|(F & _ & _)]; [ discriminate E |]. unfold final_time in F. lia.
  - intros t o e' B (S & Z & [A|T]); split; auto; split; auto.
    + left. pose proof (Hi t e' o B). lia.
    + right. unfold submit. cases; numbers; simpl; auto; destruct o; simpl in *; lia.
  - intros t o t' o' f B (S & Z & C) L D. simpl in Up.
    assert (B1 : begins m (submit m t e o)) by (apply (kept_begins _ _ _ _ _ _ K); exact B).
    destruct (Up _ _ L B1) as [B' L']. simpl in *.
    apply (V t' o' f B' D). eapply Z.le_trans; [| exact L' ].
    destruct C as [A|T]; [ pose proof (Hi t e o B); lia |].
    unfold submit. rewrite Z, S.
    change MAX_AMOUNT with (2 ^ 111 - 1) in *.
    destruct ((2 ^ 111 - 1 <? paid_by_alice e) || (2 ^ 111 - 1 <? 0)) eqn:X.
    { apply orb_prop in X. destruct X as [X|X]; apply Z.ltb_lt in X; lia. }
    rewrite (proj2 (Z.ltb_ge _ _) Fi), Lb. cbn [Z.ltb andb].
    change (0 <? 0) with false. cbn [andb].
    rewrite (proj2 (Z.ltb_lt 0 _)) by lia. cbn [andb].
    destruct (amount o by_alice <? paid_by_alice e) eqn:Y; numbers; cbn [negb andb]; [| lia ].
    rewrite (proj2 (Z.ltb_ge _ _)) by (destruct o; lia). cbn [negb andb orb by_alice amount]. lia.
Qed.
End OneWay.
