/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for an Arduino core: the serial port is standard input and output, and the program ends
 * with its input.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct SerialPort {
    int next = EOF;
    void begin(unsigned long)
    {
    }
    int available()
    {
        if (next == EOF) {
            next = getchar();
        }
        if (next == EOF) {
            exit(0);
        }
        return 1;
    }
    int read()
    {
        const int value = next;
        next = EOF;
        return value;
    }
    void print(const char *text)
    {
        printf("%s", text);
    }
    void print(unsigned long number)
    {
        printf("%lu", number);
    }
    void print(unsigned number)
    {
        printf("%u", number);
    }
    void print(int number)
    {
        printf("%d", number);
    }
    void print(long number)
    {
        printf("%ld", number);
    }
    void println(const char *text)
    {
        printf("%s\n", text);
    }
    void println(unsigned number)
    {
        printf("%u\n", number);
    }
    void println(unsigned long number)
    {
        printf("%lu\n", number);
    }
};

static SerialPort Serial;
static inline unsigned long micros()
{
    return 0;
}
static inline void delay(unsigned long)
{
}

void setup();
void loop();
int main()
{
    setup();
    for (;;) {
        loop();
    }
}
