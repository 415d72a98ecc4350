"""The programs that agents use."""

from __future__ import annotations

from evasion.claim import Family
from evasion.reads.way import Seen, Way

_GIT = "git init -q . && git config user.name a && git config user.email a@example.com"

PROGRAMS = Family(
    "Programs",
    (
        Way(id="head", title="`head -c`", script="noted head -c 400 .env"),
        Way(id="grep", title="`grep -r`", script="noted grep -r TOKEN ."),
        Way(id="rg", title="`rg`", script="noted rg --hidden --no-ignore TOKEN .", needs=("rg",)),
        Way(id="sed", title="`sed`", script="noted sed -n p .env"),
        Way(id="sed-in-place", title="`sed -i`", script="noted sed -i s/PORT/HAVEN/ .env; noted cat .env"),
        Way(
            id="awk",
            title="`awk` with `getline`",
            script="noted awk 'BEGIN { while ((getline line < \".env\") > 0) print line }'",
        ),
        Way(id="sort", title="`sort`", script="noted sort .env"),
        Way(id="diff", title="`diff`", script="noted diff .env /dev/null || true"),
        Way(id="xxd", title="`xxd`", script="noted xxd .env | xxd -r", needs=("xxd",)),
        Way(id="base64", title="`base64`", script="noted base64 .env | base64 -d"),
        Way(
            id="openssl",
            title="`openssl base64`",
            script="noted openssl base64 -in .env | base64 -d",
            needs=("openssl",),
        ),
        Way(id="tar", title="`tar`", script="noted tar -cf - .env | tar -xOf -"),
        Way(id="zip", title="`zip`", script="noted zip -q all.zip .env; unzip -p all.zip", needs=("zip", "unzip")),
        Way(id="gzip", title="`gzip`", script="noted gzip -c .env | gzip -dc"),
        Way(id="curl-file", title="`curl file://`", script='noted curl -s "file://$WAY/.env"', needs=("curl",)),
        Way(
            id="sqlite",
            title="`sqlite3`: `readfile()`",
            script="noted sqlite3 :memory: \"select readfile('.env')\"",
            needs=("sqlite3",),
        ),
        Way(id="jq", title="`jq -R`", script="noted jq -R . .env", needs=("jq",)),
        Way(
            id="make",
            title="`make`: `include .env`",
            script="printf 'include .env\\nall:\\n\\t@echo $(TOKEN)\\n' > Makefile; noted make",
            needs=("make",),
        ),
        Way(id="find-exec", title="`find -exec`", script="noted find . -name .env -exec cat {} +", below=True),
        Way(id="xargs", title="`xargs -P`", script="echo .env | noted xargs -P4 -n1 cat", below=True),
        Way(id="vim", title="`vim -es`", script="noted vim -u NONE -es +'%print' +q! .env", needs=("vim",)),
        Way(id="ed", title="`ed`", script="echo ,p | noted ed -s .env", needs=("ed",)),
        Way(
            id="python",
            title="Python, as dotenv loaders do",
            script='python \'note(); print(dict(line.split("=", 1) for line in open(".env")))\'',
        ),
        Way(
            id="node",
            title="Node `fs.readFile` (a pool of threads)",
            script='noted node -e \'require("fs").readFile(".env", "utf8", (_, text) => console.log(text))\'',
            needs=("node",),
        ),
        Way(
            id="node-env-file",
            title="`node --env-file`",
            script="noted node --env-file=.env -e 'console.log(process.env.TOKEN)'",
            needs=("node",),
        ),
        Way(id="perl", title="Perl", script="noted perl -pe1 .env", needs=("perl",)),
        Way(id="git-add", title="`git add`", script=f"{_GIT}; noted git add .env; git show :.env", needs=("git",)),
        Way(
            id="git-hash",
            title="`git hash-object -w`",
            script=f"{_GIT}; git cat-file -p $(noted git hash-object -w .env)",
            needs=("git",),
        ),
        Way(
            id="git-show",
            title="`git show HEAD:.env`: from packed objects",
            before=f"{_GIT}; git add .env; git commit -qm one; git gc -q; rm .env",
            script="noted git show HEAD:.env",
            needs=("git",),
            seen=Seen.COMMAND,
            remark="the command is recorded, not a file",
        ),
        Way(
            id="copy",
            title="`cp`, then the copy",
            script="noted cp .env copy.txt; . ./copy.txt; echo $TOKEN; /bin/true $TOKEN",
            follows=True,
            remark="the copying is seen; what the copy holds is followed",
        ),
    ),
)
