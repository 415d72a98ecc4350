"""What plain text is made of: common words of configuration, common pairs of letters.

A value that these explain is no secret worth following: it would be found in every second request.
"""

from __future__ import annotations

from functools import lru_cache

WORDS = frozenset(
    """
    a abc access account admin administrator alpha amd an api app application apps arm arn as asia at auth aws azure b
    back backend backup bar base baz beta blue bool boolean bucket build builder by c cache central ceo change changeit
    changeme chat check ci claude cli client close cloud cluster code com common compose config configuration connect
    connection console container core cpu credential credentials crypto d data database date db debug def default demo
    deploy dev develop developer development digest disable disabled dns docker docs domain dummy e east edge email
    empty enable enabled encrypt end endpoint engine en env environment error eu europe ex example external f fake false
    file files fill find first five flag folder foo for form four free from front frontend full function g gateway gb
    general get git github gitlab global go google gpt green group guest h handler hash head header hello help here home
    host hostname hr html http https i id image in index info init input insert internal io ip is it item jane java job
    joe john js json k kb key keys kube kubernetes large last latest letmein level lib library limit linux list local
    localhost log logger logging login logs long low m mail main manager map master max maxlen mb me media medium memory
    message micro min mini minio mode model module mongo monitor month my mysql n name net network new next nginx no
    node none north not nothing now npm null number object of off on one only open openai opt option or order org os
    other output owner p package page pass passphrase passwd password path pg ping pipeline placeholder please plugin
    port post postgres postgresql pre preview primary private pro process prod production profile project proxy pub
    public purple put pwd py python q qa query queue rabbitmq random re read readonly real redis ref region registry
    release remote replace report repo repository request required reset resource response rest result role root route
    rs rule run running runtime s sample save scheme schema scope script search second secret secrets secure security
    select sender server service services session set settings setup shared shell shop short sign simple site size small
    smtp some source south spec sql ssh ssl staging standard start state static status stop storage store stream string
    strong sub super superuser support swarm sync system t table tag task team temp template temporary test tester
    testing tests text the this three time tls tmp to todo token tokens tool top tmp true tst two type u ui undefined
    under unit unknown update upload uri url us use user username users util utils v value var vault vendor verify
    version via video virtual volume w warn web webhook website welcome west white with worker workspace world write www
    x xyz xx xxx yaml year yes you your yours z zero zone
    one two three four five six seven eight nine ten monday tuesday wednesday thursday friday saturday sunday january
    february march april may june july august september october november december qwerty qwertyuiop asdf asdfgh zxcvbn
    iloveyou dragon monkey sunshine princess football baseball hunter abcdef abcdefg abcdefgh
    """.split()  # noqa: SIM905 (a list of words reads best as words)
)
_LONGEST = max(map(len, WORDS))

PAIRS = frozenset(
    """
    th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic
    ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo
    wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry
    mp fe bl ab gh ty op wo sa ay ex ke fr oo av ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef cu rn sc gi
    da yo cr cl du ga qu ue ff ba ey ls va um pp ua up lu go ht ru ug ds lt pi rc rr eg au ck ew mu br bi pt ak pu ui rg
    ib tl ki rk ys ob mm fu ph og ms ud mb ip ub oi rl gu dr cc tw ft wn nu af nn vo nf xp gn sm fl ok my gl aw ju sy sl
    ps nk kn xt db ql dk tp ws sq aw
    """.split()  # noqa: SIM905 (a list of words reads best as words)
)
"""Pairs of letters that make up nine tenths of English and of program text, and a third of random letters."""


@lru_cache(maxsize=4096)
def made_of_words(letters: str) -> bool:
    """Whether lower-case letters are common words set side by side (`mysecretpassword`)."""
    if letters in WORDS:
        return True
    if len(letters) > 40:
        return False
    reachable = [True] + [False] * len(letters)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - _LONGEST), end):
            if reachable[start] and end - start > 1 and letters[start:end] in WORDS:
                reachable[end] = True
                break
    return reachable[-1]
