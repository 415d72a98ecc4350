/* Opens and closes a file again and again: bench_opener FILE TIMES. What an open costs, and nothing else. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    for (long left = atol(argv[2]); left > 0; left--) {
        int file = open(argv[1], O_RDONLY | O_CLOEXEC);
        if (file < 0) return 1;
        close(file);
    }
    return 0;
}
